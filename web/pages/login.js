// Name and password.

import {Lost, post, Refused} from '../api.js';
import {draw, h} from '../dom.js';
import {switches} from '../main.js';
import {begin} from '../session.js';
import {t} from '../words.js';

export default function login(enter) {
	const trouble = h('p', {class: 'trouble', role: 'alert'});
	return h('main', {class: 'login', 'data-key': 'login'},
		h('form', {class: 'card', onsubmit: event =>
			submit(event, enter)},
		h('h1', null, 'Reklam'),
		h('p', {class: 'muted'}, t('login_text')),
		field('username', t('username'), 'text', 'username'),
		field('password', t('password'), 'password',
			'current-password'),
		trouble,
		h('button', {class: 'main'}, t('log_in')),
		h('div', {class: 'switches'}, switches())));
}

function field(name, label, type, autocomplete) {
	return h('div', {class: 'field'},
		h('label', {for: name}, label),
		h('input', {id: name, name, type, autocomplete, required: true,
			autocapitalize: 'none', spellcheck: 'false'}));
}

async function submit(event, enter) {
	event.preventDefault();
	const form = event.currentTarget;
	const trouble = form.querySelector('.trouble');
	const button = form.querySelector('button.main');
	if (button.disabled)
		return;
	button.disabled = true;
	draw(trouble);
	try {
		const {token, user} = await post('/api/auth/login', {
			username: form.elements.username.value,
			password: form.elements.password.value});
		begin(token, user);
		await enter();
	} catch (reason) {
		if (!(reason instanceof Refused || reason instanceof Lost))
			throw reason;
		draw(trouble, reason.message);
		form.elements.password.select();
	} finally {
		button.disabled = false;
	}
}
