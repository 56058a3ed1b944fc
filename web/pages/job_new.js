// A new job with its steps.

import {PRIORITIES} from '../actions.js';
import {at, get, Lost, post, Refused} from '../api.js';
import {LISTS, optionsOf} from '../choices.js';
import {complain} from '../dialog.js';
import {draw, h} from '../dom.js';
import {button, heading} from '../parts.js';
import {may} from '../session.js';
import {t} from '../words.js';

let lists = null;	// the answers; what is chosen stays among the choices
let steps = [];		// {key}, in their order; the fields hold the rest
let nextKey = 1;
let customers = new Map();	// id by what the list says

export default {
	title: 'new_job',
	every: 3600000,

	wants: () => LISTS,

	draw() {
		return [
			h('p', {class: 'path'}, h('a', {href: '#/jobs'},
				t('jobs')), ' / ', t('new_job')),
			heading(t('new_job')),
			h('form', {class: 'new-job', 'data-own': true,
				onsubmit: submit})];
	},

	// What is being written stays when the page is drawn again.
	drawn(place, answers) {
		const form = place.querySelector('form');
		if (!form.firstChild) {
			steps = [{key: nextKey++}];
			customers = new Map();
			lists = answers;
		}
		fill(form);
	},
};

function fill(form) {
	draw(form,
		h('section', {class: 'card'},
			field('title', t('title'), h('input', {required: true,
				maxlength: 255})),
			h('div', {class: 'row'},
				may('customers.view') && customerField(),
				field('priority', t('priority'), h('select', null,
					PRIORITIES.map(p => h('option', {value: p,
						selected: p === 'normal'},
					t(`priority_${p}`))))),
				field('due_date', t('due_date'),
					h('input', {type: 'date'}))),
			field('description', t('description'),
				h('textarea', {rows: 3}))),
		h('h2', null, t('steps')),
		h('ol', {class: 'new-steps', id: 'new-steps'}, stepItems()),
		h('p', null, button(t('do_add_step'), 'plus', add,
			{'data-do': 'add_step'})),
		h('p', {class: 'trouble', role: 'alert', 'data-own': true}),
		h('div', {class: 'buttons'}, h('button', {class: 'main'},
			t('create_job'))));
}

function field(name, label, control, id = name) {
	control.id = `new-${id}`;
	control.name = name;
	return h('div', {class: 'field'}, h('label', {for: control.id}, label),
		control);
}

// --- whose job it is ---

function customerField() {
	return [field('customer', t('customer'), h('input', {
		list: 'customers', autocomplete: 'off',
		placeholder: t('search_customers'),
		oninput: ({target}) => {
			clearTimeout(typing);
			typing = setTimeout(() => suggest(target)
				.catch(complain), 200);
		}})), h('datalist', {id: 'customers', 'data-own': true})];
}

let typing;

async function suggest({value: search, list}) {
	if (customers.has(search) || search.trim() === '')
		return;
	const {data} = await get(at('/api/customers', {search, limit: 12}));
	for (const {id, name, code} of data.data)
		customers.set(code ? `${name} · ${code}` : name, id);
	draw(list, data.data.map(({name, code}) => h('option', {
		value: code ? `${name} · ${code}` : name})));
}

// --- its steps ---

function add() {
	steps.push({key: nextKey++});
	drawSteps();
}

function drawSteps() {
	draw(document.getElementById('new-steps'), stepItems());
}

function stepItems() {
	const options = optionsOf(lists);
	return steps.map(({key}, i) => h('li', {'data-key': key, class: 'card'},
		stepFields(options, key, i),
		h('div', {class: 'buttons'},
			button(t('move_up'), 'up', () => move(i, -1),
				{disabled: i === 0}),
			button(t('move_down'), 'down', () => move(i, 1),
				{disabled: i === steps.length - 1}),
			button(t('do_remove'), 'trash', () => {
				steps.splice(i, 1);
				drawSteps();
			}))));
}

function stepFields({processes, users, machines}, key, i) {
	const select = list => h('select', null, list.map(
		([value, text]) => h('option', {value: value ?? ''}, text)));
	const one = (name, label, control) =>
		field(name, label, control, `${name}-${key}`);
	return h('div', {class: 'row', role: 'group',
		'aria-label': `${t('step')} ${i + 1}`},
	one('process_id', t('process'), select(processes)),
	one('assigned_to', t('assigned_to'), select(users)),
	one('machine_id', t('machine'), select(machines)),
	one('estimated_duration', t('estimate_minutes'), h('input', {
		type: 'number', min: 0, step: 1, inputmode: 'numeric'})),
	one('required_quantity', t('target_quantity'), h('input', {
		type: 'number', min: 0, step: 'any', inputmode: 'decimal'})));
}

function move(i, by) {
	[steps[i], steps[i + by]] = [steps[i + by], steps[i]];
	drawSteps();
}

function stepOf({key}) {
	const value = name => document.getElementById(`new-${name}-${key}`)
		.value || null;
	const amount = value('required_quantity');
	const minutes = value('estimated_duration');
	return {
		process_id: value('process_id'),
		assigned_to: value('assigned_to'),
		machine_id: value('machine_id'),
		estimated_duration: minutes && Number(minutes),
		required_quantity: amount && Number(amount),
		has_production: amount !== null,
	};
}

// --- sending it ---

async function submit(event) {
	event.preventDefault();
	const form = event.currentTarget;
	const trouble = form.querySelector('.trouble');
	const send = form.querySelector('button.main');
	if (send.disabled)
		return;
	send.disabled = true;
	draw(trouble);
	try {
		const made = await post('/api/jobs', job(form.elements));
		location.hash = `#/jobs/${made.data.id}`;
	} catch (reason) {
		if (!(reason instanceof Refused || reason instanceof Lost))
			throw reason;
		draw(trouble, reason.message);
		form.elements[reason.field]?.focus?.();
	} finally {
		send.disabled = false;
	}
}

function job(given) {
	const customer = given.customer?.value.trim() ?? '';
	if (customer && !customers.has(customer))
		throw new Refused(400, t('unknown_customer'), 'customer');
	return {
		title: given.title.value.trim(),
		description: given.description.value.trim() || null,
		customer_id: customers.get(customer) ?? null,
		priority: given.priority.value,
		due_date: given.due_date.value || null,
		steps: steps.map(stepOf),
	};
}
