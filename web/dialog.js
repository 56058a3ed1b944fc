// Questions to the reader, and what he is told.

import {Lost, Refused} from './api.js';
import {draw, h} from './dom.js';
import {icon} from './icons.js';
import {refresh} from './live.js';
import {t} from './words.js';

const NOTICE = 5000;		// milliseconds; a complaint stays longer
let count = 0;

export function tell(text, kind = 'good') {
	const place = document.getElementById('notices');
	const notice = h('div', {class: `notice ${kind}`,
		role: kind === 'bad' ? 'alert' : null},
	h('p', null, text),
	h('button', {type: 'button', class: 'plain', 'aria-label': t('close'),
		onclick: () => notice.remove()}, icon('cross')));
	place.append(notice);
	while (place.children.length > 3)
		place.firstChild.remove();
	setTimeout(() => notice.remove(), kind === 'bad' ? 3 * NOTICE : NOTICE);
}

// Of what went wrong; what is not the server's word is a mistake of ours.
export function complain(trouble) {
	if (trouble instanceof Refused && trouble.status === 409)
		tell(`${trouble.message}. ${t('true_state')}`, 'bad');
	else if (trouble instanceof Refused || trouble instanceof Lost)
		tell(trouble.message, 'bad');
	else
		throw trouble;
}

/*
 * Something that changes the shop.  Afterwards the page shows what has become
 * of it, also when it was refused.  What the call answered, or undefined.
 */
export async function perform(call) {
	try {
		const answer = await call();
		if (answer?.message)
			tell(answer.message);
		return answer ?? true;
	} catch (trouble) {
		complain(trouble);
	} finally {
		refresh();
	}
}

/*
 * ask({title, text, fields, submit, edits, act}): act(values) is called with
 * the fields that are no longer what they were; the others may have been
 * changed by somebody else meanwhile.  While it is refused the dialog stays;
 * one that only edits calls nothing when all is as it was.  A field: name,
 * label, type, value (what it is), suggested (shown in place of no value, and
 * sent), required, options [value, text], called (the value's text, should it
 * be none of the options), quick [value, text] (buttons that choose and submit
 * at once).  Resolves with what act answered, else undefined.
 */
export function ask({title, text, fields = [], submit, danger, edits, act}) {
	const number = ++count;
	const entries = fields.map(field => entry(field, `f${number}`));
	const trouble = h('p', {class: 'trouble', role: 'alert'});
	const button = h('button', {class: danger ? 'main danger' : 'main'},
		submit ?? t('save'));
	const form = h('form', {method: 'dialog', novalidate: false},
		h('h2', {id: `d${number}`}, title),
		text && h('p', null, text),
		entries.map(e => e.row), trouble,
		h('div', {class: 'buttons'},
			h('button', {type: 'button', onclick: () =>
				dialog.close()}, t('cancel')),
			button));
	const dialog = h('dialog', {'aria-labelledby': `d${number}`}, form);
	let result;

	form.onsubmit = async event => {
		event.preventDefault();
		if (button.disabled)
			return;
		button.disabled = true;
		draw(trouble);
		entries.forEach(e => e.mark(false));
		try {
			const changed = entries.filter(e => e.isChanged());
			if (changed.length || !edits)
				result = await act(Object.fromEntries(
					changed.map(e => [e.name, e.value()])));
			if (result?.message)
				tell(result.message);
			dialog.close();
		} catch (reason) {
			refusedBy(reason, {dialog, trouble, entries});
		} finally {
			button.disabled = false;
			refresh();
		}
	};
	document.body.append(dialog);
	dialog.showModal();
	return new Promise(resolve => {
		dialog.onclose = () => {
			dialog.remove();
			resolve(result);
		};
	});
}

function refusedBy(reason, {dialog, trouble, entries}) {
	if (!(reason instanceof Refused || reason instanceof Lost))
		throw reason;
	// What was asked about is no longer so.
	if (reason.status === 409 || reason.status === 401) {
		dialog.close();
		complain(reason);
		return;
	}
	draw(trouble, reason.message);
	const entry = entries.find(e => e.name === reason.field);
	entry?.mark(true);
	(entry?.control ?? dialog.querySelector('input,select,textarea,button'))
		.focus();
}

export function confirm(title, text, submit, act, danger = true) {
	return ask({title, text, submit, danger, act});
}

// --- the fields of a form ---

function entry(field, prefix) {
	const id = `${prefix}-${field.name}`;
	const control = controlOf(field, id);
	const label = h('label', {for: id}, field.label,
		field.required && h('span', {class: 'required',
			title: t('required')}, ' *'));
	const row = field.type === 'checkbox'
		? h('div', {class: 'field check'}, control, label)
		: h('div', {class: 'field'}, label, quick(field, control),
			control, field.hint && h('small', null, field.hint));
	const value = () => valueOf(field, control);
	// As the control has it: it may write the same in another way.
	const before = isNothing(field.value) ? nothing(field) : value();
	const mark = bad => bad ? control.setAttribute('aria-invalid', 'true')
		: control.removeAttribute('aria-invalid');
	control.addEventListener('invalid', () => mark(true));
	control.addEventListener('input', () =>
		control.validity.valid && mark(false));
	return {name: field.name, row, control, value, mark,
		isChanged: () => value() !== before};
}

const isNothing = value => value === undefined || value === null;
const nothing = ({type}) => type === 'checkbox' ? false : null;

// What is no longer offered stays until something else is chosen.
function offered({options, value, called}) {
	return isNothing(value) || options.some(([of]) => of === value)
		? options : [...options, [value, called ?? value]];
}

function controlOf(field, id) {
	const {type = 'text', required} = field;
	const value = field.value ?? field.suggested;
	const props = {id, name: field.name, required,
		maxlength: field.maxlength, autocomplete: field.autocomplete ??
		'off'};
	if (type === 'select')
		return h('select', props, offered(field).map(([of, text]) =>
			h('option', {value: of ?? '', selected: (of ?? '') ===
				(value ?? '')}, text)));
	if (type === 'textarea')
		return h('textarea', {...props, rows: 3, value: value ?? ''});
	if (type === 'checkbox')
		return h('input', {...props, type, checked: Boolean(value)});
	if (type === 'number')
		return h('input', {...props, type, step: field.step ?? 'any',
			min: field.min, inputmode: 'decimal',
			value: value ?? ''});
	return h('input', {...props, type, value: value ?? '',
		minlength: field.minlength});
}

function quick(field, control) {
	return field.quick && h('div', {class: 'quick'}, field.quick.map(
		([value, text]) => h('button', {type: 'button', onclick: () => {
			control.value = value;
			control.form.requestSubmit();
		}}, text)));
}

function valueOf({type}, control) {
	if (type === 'checkbox')
		return control.checked;
	// A password may begin with a blank: the log-in takes it as it is.
	const text = type === 'password' ? control.value : control.value.trim();
	if (text === '')
		return null;
	return type === 'number' ? Number(text) : text;
}
