// Asking the server.

import {end, token} from './session.js';
import {language, t} from './words.js';

const PATIENCE = 15000;		// milliseconds
const AGAIN = 600;
const REMEMBERED = 80;		// answers

// The server said no: `message` is its reason, for people.
export class Refused extends Error {
	constructor(status, message, field) {
		super(message);
		this.status = status;
		this.field = field;
	}
}

// Nothing was heard, or only that it is busy or without its database.
export class Lost extends Error {
}

// 'lost' and 'back', 'ended' when the token is no longer good.
export const news = new EventTarget();
let isLost = false;

function lose(message) {
	isLost = true;
	news.dispatchEvent(new CustomEvent('lost', {detail: message}));
	return new Lost(message);
}

function hear() {
	if (isLost) {
		isLost = false;
		news.dispatchEvent(new CustomEvent('back'));
	}
}

/*
 * Answers with their ETags: what has not changed costs a 304, and is the very
 * same object again.
 */
const remembered = new Map();

function remember(key, answer) {
	remembered.delete(key);
	remembered.set(key, answer);
	if (remembered.size > REMEMBERED)
		remembered.delete(remembered.keys().next().value);
}

export function forget() {
	remembered.clear();
}

// {data, total}: the body, and of how many rows it is a part.
export async function get(path, signal) {
	const key = `${language()} ${path}`;
	const before = remembered.get(key);
	const response = await send('GET', path, undefined, signal,
		before && {'If-None-Match': before.tag});
	if (response.status === 304) {
		remember(key, before);
		return before;
	}
	const total = response.headers.get('X-Total-Count');
	const answer = {
		data: await body(response),
		total: total === null ? undefined : Number(total),
		tag: response.headers.get('ETag'),
	};
	if (answer.tag)
		remember(key, answer);
	return answer;
}

export async function post(path, value) {
	return body(await send('POST', path, value));
}

export async function patch(path, value) {
	return body(await send('PATCH', path, value));
}

export async function remove(path) {
	return body(await send('DELETE', path));
}

async function send(method, path, value, signal, more, isAgain) {
	const headers = {'Accept': 'application/json, text/plain',
		'Accept-Language': language(), ...more};
	if (token())
		headers.Authorization = `Bearer ${token()}`;
	if (value !== undefined)
		headers['Content-Type'] = 'application/json';
	let response;
	try {
		response = await fetch(path, {
			method, headers, cache: 'no-store', credentials: 'omit',
			body: value === undefined ? undefined
				: JSON.stringify(value),
			signal: AbortSignal.any([AbortSignal.timeout(PATIENCE),
				signal ?? new AbortController().signal]),
		});
	} catch (trouble) {
		if (signal?.aborted)
			throw trouble;
		throw lose(t('connection_lost'));
	}
	const report = response.status === 503 && await reportOf(response);
	if (response.status === 503 && method === 'GET' && !isLost && !isAgain &&
	    !report)
		return askAgain(path, signal, more);
	return heard(response, path, report);
}

// That it is busy may be over in a moment.
async function askAgain(path, signal, more) {
	await new Promise(resolve => setTimeout(resolve, AGAIN));
	return send('GET', path, undefined, signal, more, true);
}

// The report of a server that is not well is an answer, not a refusal.
async function reportOf(response) {
	const said = await body(response.clone()).catch(() => null);
	return said?.status && !said.error ? said : null;
}

// What is answered without the database says nothing of it.
const WITHOUT = /^\/api\/(metrics|health\/(cache|db\/slow))\b/;

async function heard(response, path, report) {
	if (response.ok || response.status === 304) {
		if (!WITHOUT.test(path) &&
		    response.headers.get('X-Cache') !== 'stale')
			hear();
		return response;
	}
	if (report) {
		lose(report.warnings?.[0] ?? t('answered_with', response.status));
		return response;
	}
	const {error, message, field} = await body(response).catch(() => ({}));
	const reason = error ?? message ?? t('answered_with', response.status);
	if (response.status >= 502 && response.status <= 504)
		throw lose(reason);
	hear();
	if (response.status === 401 && path !== '/api/auth/login') {
		end();
		news.dispatchEvent(new CustomEvent('ended', {detail: reason}));
	}
	throw new Refused(response.status, reason, field);
}

function body(response) {
	const type = response.headers.get('Content-Type') ?? '';
	return type.startsWith('application/json')
		? response.json() : response.text();
}

// A path with what of `query` is given.
export function at(path, query = {}) {
	const given = Object.entries(query).filter(([, value]) =>
		value !== undefined && value !== null && value !== '');
	return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}
