// The jobs: searched as one types, filtered, a page at a time.

import {at} from '../api.js';
import {PRIORITIES} from '../actions.js';
import {h} from '../dom.js';
import {date} from '../format.js';
import {icon} from '../icons.js';
import {bar, chip, due, empty, heading, pager, priority, statusText, table}
	from '../parts.js';
import {may} from '../session.js';
import {t} from '../words.js';

const SIZE = 25;
const TYPING = 200;	// milliseconds
const OPEN = 'active,in_progress,on_hold';
const STATUSES = ['', OPEN, 'draft', 'active', 'in_progress', 'on_hold',
	'completed', 'canceled'];
const SORTS = ['-created_at', 'due_date', '-due_date', '-priority',
	'job_number'];

export default {
	title: 'jobs',
	every: 5000,

	wants: ({query}) => ({
		jobs: at('/api/jobs', {
			search: query.search, status: query.status,
			priority: query.priority,
			customer_id: query.customer_id,
			overdue: query.overdue, sort: query.sort,
			page: query.page, per_page: SIZE}),
		...(query.customer_id && may('customers.view') && {
			customer: `?/api/customers/${query.customer_id}`}),
	}),

	draw({jobs, customer}, {query}) {
		const {data, meta} = jobs.data;
		return [
			heading(t('jobs'), may('jobs.create') &&
				h('a', {class: 'button main', href: '#/jobs/new'},
					icon('plus'), h('span', null, t('new_job')))),
			filters(query, customer?.data.data),
			data.length ? table(t('jobs'), COLUMNS(), data, {flows: true})
				: empty(t('nothing_found')),
			pager({first: (meta.page - 1) * SIZE, size: SIZE,
				total: meta.total}, first => address({...query,
				page: first / SIZE + 1})),
		];
	},
};

const COLUMNS = () => [
	[t('number'), job => h('a', {href: `#/jobs/${job.id}`},
		job.job_number), 'key'],
	[t('title'), job => [job.title, ' ', priority(job.priority)]],
	[t('customer'), job => job.customer_name ?? '–', 'wide'],
	[t('status'), job => chip(job.status)],
	[t('due_date'), due],
	[t('progress'), job => bar(job.progress), 'wide'],
	[t('created'), job => date(job.created_at?.slice(0, 10)), 'key wide'],
];

function address(query) {
	return at('#/jobs', {...query, page: query.page > 1 ? query.page : ''});
}

function filters(query, customer) {
	const change = more => {
		location.hash = address({...query, ...more, page: ''});
	};
	return h('form', {class: 'filters', role: 'search',
		onsubmit: event => event.preventDefault()},
	h('div', {class: 'field grow'},
		h('label', {for: 'search'}, t('search')),
		h('input', {id: 'search', type: 'search', autocomplete: 'off',
			maxlength: 200, placeholder: t('search_jobs'),
			value: query.search ?? '', oninput: typed})),
	choice('status', t('status'), query.status, STATUSES.map(s => [s,
		s === '' ? t('all') : s === OPEN ? t('open') : statusText(s)]),
	change),
	choice('priority', t('priority'), query.priority, ['', ...PRIORITIES]
		.map(p => [p, p === '' ? t('all') : t(`priority_${p}`)]), change),
	choice('sort', t('sort'), query.sort ?? '-created_at', SORTS.map(
		s => [s, t(`sort_${s.replace('-', 'down_')}`)]), change),
	h('div', {class: 'field check'},
		h('input', {id: 'overdue', type: 'checkbox',
			checked: query.overdue === 'true',
			onchange: event => change({overdue:
				event.target.checked ? 'true' : ''})}),
		h('label', {for: 'overdue'}, t('only_late'))),
	query.customer_id && h('button', {type: 'button', class: 'tag',
		onclick: () => change({customer_id: ''})},
	h('span', null, t('of_customer', customer?.name ?? '…')),
	icon('cross')));
}

function choice(name, label, value, options, change) {
	return h('div', {class: 'field'},
		h('label', {for: name}, label),
		h('select', {id: name, value: value ?? '', onchange: event =>
			change({[name]: event.target.value})},
		options.map(([of, text]) => h('option', {value: of}, text))));
}

let typing;

// Every letter would fill the history.
function typed({target}) {
	clearTimeout(typing);
	typing = setTimeout(() => {
		const [path, words] = location.hash.split('?');
		if (path !== '#/jobs')
			return;
		const query = Object.fromEntries(new URLSearchParams(words));
		location.replace(address({...query,
			search: target.value.trim(), page: ''}));
	}, TYPING);
}
