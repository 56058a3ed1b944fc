// The frame around the pages: which one is shown, the menu, the bell.

import {forget, get, news} from './api.js';
import {repaint} from './chart.js';
import {complain, tell} from './dialog.js';
import {draw, h} from './dom.js';
import {number} from './format.js';
import {icon} from './icons.js';
import {hide, redraw, show} from './live.js';
import {take} from './metrics.js';
import login from './pages/login.js';
import {end, learn, may, me, token} from './session.js';
import {choose, language, t} from './words.js';

const UNREAD_EVERY = 30000;	// milliseconds
const RIGHTS_EVERY = 60000;
const METRICS_EVERY = 15000;

/*
 * The pages: address, file in pages/, what has to be allowed (one of several),
 * and, of those in the menu, their icon.
 */
const PAGES = [
	['', 'dashboard', null, 'home'],
	['jobs', 'jobs', 'jobs.view', 'jobs'],
	['jobs/new', 'job_new', 'jobs.create'],
	['jobs/:id', 'job', 'jobs.view'],
	['tasks', 'tasks', null, 'tasks'],
	['tasks/:id', 'task'],
	['machines', 'machines', null, 'machines'],
	['customers', 'customers', 'customers.view', 'customers'],
	['customers/:id', 'customer', 'customers.view'],
	['notifications', 'notifications', null, 'bell'],
	['users', 'users', ['users.update', 'users.create'], 'people'],
	['roles', 'roles', 'roles.update'],
	['server', 'server', ['health.view', 'metrics.view'], 'server'],
];

const page = document.getElementById('page');
let unread = null;
let isMenuOpen = false;
let here;			// the route; null: the login

const isAllowed = rights => !rights || [rights].flat().some(may);

// '#/jobs/ID?x=1' → {path: 'jobs/ID', query: {x: '1'}}
function address() {
	const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
	return {path, query: Object.fromEntries(new URLSearchParams(query))};
}

function find(path) {
	for (const [pattern, file, right] of PAGES) {
		if (pattern === path)
			return {file, right};
		const [name, id] = path.split('/');
		if (id && pattern === `${name}/:id`)
			return {file, right, id};
	}
	return null;
}

// --- what is shown ---

async function go() {
	const {path, query} = address();
	// Who has just opened the page begins at its top.
	const isFirst = here === undefined;
	if (!token()) {
		here = null;
		hide();
		draw(page, login(enter));
		document.title = `${t('log_in')} · Reklam`;
		return;
	}
	const found = find(path) ?? find('');
	const route = {path, query, id: found.id};
	const moved = here?.path !== path;
	here = route;
	isMenuOpen = false;
	drawFrame();
	const {default: it} = await import(`./pages/${found.file}.js`);
	if (here !== route)
		return;
	document.title = `${t(it.title)} · Reklam`;
	const main = document.getElementById('main');
	if (moved) {
		draw(main);
		scrollTo(0, 0);
	}
	await show(it, route, main);
	// Where the reader begins to read.
	if (moved && !isFirst && here === route &&
	    !main.contains(document.activeElement))
		main.querySelector('h1')?.focus({preventScroll: true});
}

function drawFrame() {
	draw(page,
		h('a', {class: 'skip', href: '#main', onclick: skip}, t('skip')),
		h('header', {class: 'top'},
			h('button', {type: 'button', class: 'plain menu',
				'aria-expanded': String(isMenuOpen),
				'aria-controls': 'menu', onclick: toggleMenu,
				'aria-label': t('menu')}, icon('menu')),
			h('a', {class: 'brand', href: '#/'}, 'Reklam'),
			bell(), who()),
		h('nav', {id: 'menu', 'aria-label': t('menu'),
			class: isMenuOpen ? 'open' : null},
		h('ul', null, PAGES.filter(([, , right, image]) =>
			image && isAllowed(right)).map(menuItem))),
		h('main', {id: 'main', 'data-own': true}));
}

function menuItem([path, file, , image]) {
	const isHere = path === here?.path.split('/')[0] ||
		(path === 'users' && here?.path === 'roles');
	return h('li', null, h('a', {href: `#/${path}`,
		'aria-current': isHere ? 'page' : null}, icon(image),
	h('span', null, t(file))));
}

function skip(event) {
	event.preventDefault();
	document.querySelector('main h1')?.focus();
}

function toggleMenu() {
	isMenuOpen = !isMenuOpen;
	drawFrame();
}

function bell() {
	const count = unread > 99 ? '99+' : number(unread ?? 0);
	return h('a', {class: 'bell', href: '#/notifications',
		'aria-label': unread ? t('unread', count)
			: t('notifications')},
	icon('bell'), unread ? h('span', {class: 'count',
		'aria-hidden': 'true'}, count) : null);
}

function who() {
	const name = me().full_name ?? me().username;
	return h('details', {class: 'who'},
		h('summary', {'aria-label': `${t('account')}: ${name}`},
			icon('people'), h('span', {class: 'wide'}, name)),
		h('div', {class: 'sheet'},
			h('p', null, name),
			switches(),
			h('button', {type: 'button', onclick: leave},
				icon('out'), h('span', null, t('log_out')))));
}

// --- language and colours; the login has them too ---

export function switches() {
	return [h('div', {class: 'switch', role: 'group',
		'aria-label': t('language')}, [['en', 'English'],
		['tr', 'Türkçe']].map(([code, name]) =>
		h('button', {type: 'button', lang: code,
			'aria-pressed': String(language() === code),
			onclick: () => speak(code)}, name))),
	h('div', {class: 'switch', role: 'group', 'aria-label': t('colours')},
		['auto', 'light', 'dark'].map(name =>
			h('button', {type: 'button',
				'aria-pressed': String(theme() === name),
				onclick: () => wear(name)},
			t(`theme_${name}`))))];
}

function speak(code) {
	choose(code);
	forget();
	if (token()) {
		drawFrame();
		redraw();
	}
	go();
}

function theme() {
	return localStorage.getItem('reklam.theme') ?? 'auto';
}

function wear(name) {
	localStorage.setItem('reklam.theme', name);
	applyTheme();
	if (token())
		drawFrame();
	else
		go();
	repaint();
}

const darkness = matchMedia('(prefers-color-scheme: dark)');

function applyTheme() {
	document.documentElement.dataset.theme = theme() !== 'auto' ? theme()
		: darkness.matches ? 'dark' : 'light';
}

// --- coming and going ---

async function enter() {
	await learnRights();
	startWatching();
	await go();
}

async function learnRights() {
	const [user, rights] = await Promise.all([
		get('/api/auth/me'), get('/api/permissions/me')]);
	learn(user.data.user, rights.data.data);
}

function leave() {
	end();
	forget();
	unread = null;
	location.hash = '#/';
	go();
}

let watches = [];

function startWatching() {
	watches.forEach(clearInterval);
	watches = [
		setInterval(() => ifSeen(countUnread), UNREAD_EVERY),
		setInterval(() => ifSeen(learnRights), RIGHTS_EVERY),
		setInterval(() => ifSeen(measure), METRICS_EVERY)];
	ifSeen(countUnread);
}

async function ifSeen(work) {
	if (!token() || document.hidden)
		return;
	try {
		await work();
		if (token())
			drawFrame();
	} catch {
		// The banner says it, or the next time is better.
	}
}

async function countUnread() {
	unread = (await get('/api/notifications/unread-count'))
		.data.data.count;
}

// So that the server's page has something to show when it is opened.
async function measure() {
	if (may('metrics.view'))
		take((await get('/api/metrics')).data);
}

export async function countAgain() {
	await ifSeen(countUnread);
}

// --- the beginning ---

news.addEventListener('ended', ({detail}) => {
	forget();
	tell(detail, 'bad');
	go();
});
addEventListener('hashchange', go);
addEventListener('unhandledrejection', ({reason}) => {
	console.error(reason);
});
document.addEventListener('click', event => {
	for (const open of document.querySelectorAll('details.who[open]')) {
		if (!open.contains(event.target))
			open.open = false;
	}
});
document.addEventListener('keydown', event => {
	if (event.key !== 'Escape')
		return;
	for (const open of document.querySelectorAll('details.who[open]'))
		open.open = false;
	if (isMenuOpen)
		toggleMenu();
});
darkness.addEventListener('change', () => {
	applyTheme();
	repaint();
});

applyTheme();
if (token())
	startWatching();
go().catch(complain);
