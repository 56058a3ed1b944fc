// One customer: how to reach him, his dealers, his jobs.

import {at, patch, post, remove} from '../api.js';
import {ask, confirm} from '../dialog.js';
import {h} from '../dom.js';
import {button, card, chip, due, empty, facts, heading, table}
	from '../parts.js';
import {may} from '../session.js';
import {t} from '../words.js';
import {customerFields} from './customers.js';

const DEALER = ['name', 'contact_person', 'contact_phone', 'city', 'district',
	'email'];

export default {
	title: 'customer',
	every: 10000,

	wants: ({id}) => ({
		customer: `/api/customers/${id}`,
		jobs: '?' + at('/api/jobs', {customer_id: id, per_page: 10}),
	}),

	draw({customer, jobs}) {
		const it = customer.data.data;
		return [
			h('p', {class: 'path'}, h('a', {href: '#/customers'},
				t('customers')), ' / ', it.code ?? it.name),
			heading([it.name, it.is_active === false && [' ',
				h('span', {class: 'chip is-canceled'},
					t('archived'))]]),
			actions(it),
			h('section', {class: 'card'}, about(it)),
			h('div', {class: 'two'},
				jobs && card(t('jobs'), jobList(jobs.data, it)),
				card(t('dealers'), dealers(it))),
		];
	},
};

function actions(it) {
	return h('div', {class: 'buttons'},
		may('customers.update') && button(t('do_edit'), 'edit', () =>
			ask({
				title: `${t('do_edit')}: ${it.name}`,
				fields: customerFields(it), edits: true,
				act: values => patch(`/api/customers/${it.id}`,
					values),
			})),
		may('customers.delete') && it.is_active !== false && button(
			t('do_archive'), 'trash', () => confirm(t('do_archive'),
				t('archive_text', it.name), t('do_archive'),
				() => remove(`/api/customers/${it.id}`))));
}

function about(it) {
	const phone = number => number && h('a', {
		href: `tel:${number.replace(/[^+\d]/g, '')}`}, number);
	return [facts(
		[t('contact'), it.contact_person],
		[t('phone'), phone(it.phone)],
		[t('phone_secondary'), phone(it.phone_secondary)],
		[t('gsm'), phone(it.gsm)],
		[t('email'), it.email && h('a', {href: `mailto:${it.email}`},
			it.email)],
		[t('address'), it.address],
		[t('city'), it.city],
		[t('tax_office'), it.tax_office],
		[t('tax_number'), it.tax_number],
	), it.notes && h('p', {class: 'text'}, it.notes)];
}

function jobList({data, meta}, it) {
	return data.length ? [table(t('jobs'), [
		[t('number'), job => h('a', {href: `#/jobs/${job.id}`},
			job.job_number), 'key'],
		[t('title'), job => job.title],
		[t('status'), job => chip(job.status)],
		[t('due_date'), due, 'wide'],
	], data, {flows: true}),
	meta.total > data.length && h('p', {class: 'more'},
		h('a', {href: `#/jobs?customer_id=${it.id}`},
			t('all_of', meta.total)))] : empty(t('nothing_found'));
}

function dealers(it) {
	return [it.dealers.length ? h('ul', {class: 'rows'}, it.dealers.map(
		dealer => h('li', {'data-key': dealer.id},
			h('div', null, h('strong', null, dealer.name),
				h('p', {class: 'muted'}, [dealer.contact_person,
					dealer.contact_phone ?? dealer.phone1,
					dealer.city].filter(Boolean)
					.join(' · '))),
			may('customers.update') && button(t('do_edit'), 'edit',
				() => editDealer(it, dealer))))) : empty(t('none')),
	may('customers.create') && h('p', {class: 'more'},
		button(t('new_dealer'), 'plus', () => editDealer(it)))];
}

function editDealer(it, dealer) {
	const path = `/api/customers/${it.id}/dealers`;
	return ask({
		title: dealer ? `${t('do_edit')}: ${dealer.name}`
			: t('new_dealer'),
		fields: DEALER.map(name => ({name, label: t(
			{contact_person: 'contact', contact_phone: 'phone'}[name]
			?? name), required: name === 'name',
		value: dealer?.[name]})),
		edits: Boolean(dealer),
		act: values => dealer ? patch(`${path}/${dealer.id}`, values)
			: post(path, values),
	});
}
