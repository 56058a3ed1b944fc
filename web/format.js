// Dates, numbers and spans of time, as the reader's language has them.

import {language, t} from './words.js';

const made = new Map();

function maker(Kind, name, options) {
	const key = `${language()} ${name}`;
	if (!made.has(key))
		made.set(key, new Kind(locale(), options));
	return made.get(key);
}

// English comes in several kinds; the browser knows which.
function locale() {
	if (language() === 'tr')
		return 'tr-TR';
	return navigator.languages.find(l => /^en\b/i.test(l)) ?? 'en-GB';
}

export const collator = () => maker(Intl.Collator, 'collator', {});

export function number(value, digits = 0) {
	if (value === null || value === undefined)
		return '–';
	return maker(Intl.NumberFormat, `number ${digits}`, {
		maximumFractionDigits: digits}).format(value);
}

export function percent(share, digits = 0) {
	if (share === null || share === undefined || Number.isNaN(share))
		return '–';
	return maker(Intl.NumberFormat, `percent ${digits}`, {
		style: 'percent', maximumFractionDigits: digits}).format(share);
}

export function bytes(value) {
	const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
	let i = 0;
	while (value >= 1024 && i < units.length - 1) {
		value /= 1024;
		i++;
	}
	return maker(Intl.NumberFormat, units[i], {style: 'unit',
		unit: units[i], maximumFractionDigits: 1}).format(value);
}

// The server's times are the shop's, without a zone; so is the reader's day.
function moment(text) {
	return new Date(text.length === 10 ? `${text}T00:00:00` : text);
}

export function date(text) {
	return text ? maker(Intl.DateTimeFormat, 'date', {
		dateStyle: 'medium'}).format(moment(text)) : '–';
}

export function dateTime(text) {
	return text ? maker(Intl.DateTimeFormat, 'date and time', {
		dateStyle: 'medium', timeStyle: 'short'}).format(moment(text))
		: '–';
}

export function clock(at) {
	return maker(Intl.DateTimeFormat, 'clock', {timeStyle: 'medium'})
		.format(at);
}

export function month(text) {
	return maker(Intl.DateTimeFormat, 'month', {month: 'short',
		year: 'numeric'}).format(moment(text));
}

export function today() {
	const now = new Date();
	const two = n => String(n).padStart(2, '0');
	return `${now.getFullYear()}-${two(now.getMonth() + 1)}-` +
		two(now.getDate());
}

const SPANS = [['day', 1440], ['hour', 60], ['minute', 1]];

// "3 hours ago", "in 2 days".
export function ago(text) {
	const minutes = Math.round((moment(text) - Date.now()) / 60000);
	const [unit, size] = SPANS.find(([, size]) =>
		Math.abs(minutes) >= size) ?? SPANS[2];
	return maker(Intl.RelativeTimeFormat, 'ago', {numeric: 'auto'})
		.format(Math.trunc(minutes / size), unit);
}

// How long since: "3 h 20 min".
export function since(text) {
	return span(Math.max(0, (Date.now() - moment(text)) / 60000));
}

export function span(minutes) {
	if (minutes === null || minutes === undefined)
		return '–';
	minutes = Math.round(minutes);
	const days = Math.floor(minutes / 1440);
	const hours = Math.floor(minutes % 1440 / 60);
	const [all, some, large, small] = days
		? ['days', 'days_hours', number(days), hours]
		: ['hours', 'hours_minutes', hours, minutes % 60];
	if (!days && !hours)
		return t('minutes', minutes);
	return small ? t(some, large, small) : t(all, large);
}
