// The server: cache, pool, queue, times, workers, slow statements.

import {post} from '../api.js';
import {figure, paint} from '../chart.js';
import {ask} from '../dialog.js';
import {h} from '../dom.js';
import {bytes, clock, number, percent, span} from '../format.js';
import {button, card, empty, facts, heading, table} from '../parts.js';
import {may} from '../session.js';
import {begun, hitRate, latest, mean, perSecond, routes, series, take, times}
	from '../metrics.js';
import {t} from '../words.js';

const LINES = 5;	// routes in the chart
const SLOWEST = 15;

export default {
	title: 'server',
	every: 5000,
	partly: true,

	wants: () => ({
		pool: '/api/health/db', cache: '/api/health/cache',
		slow: '/api/health/db/slow', metrics: '?/api/metrics',
	}),

	draw({pool, cache, slow, metrics}) {
		if (metrics)
			take(metrics.data);
		const it = {pool: pool?.data, cache: cache?.data.cache_stats};
		return [
			heading(t('server'), may('cache.clear') && button(
				t('clear_cache'), 'trash', () =>
					clear(it.cache))),
			warnings([...(it.pool?.warnings ?? []),
				...(it.pool?.recommendations?.advice ?? []),
				...(cache?.data.warnings ?? [])]),
			tiles(it),
			metrics && charts(it),
			metrics && card(t('routes_times'), routeTable()),
			it.pool && card(t('workers'), workers(it)),
			slow && card(t('slow_statements'), slowTable(
				slow.data.statements)),
			it.cache && card(t('cache'), cacheTable(it.cache)),
		];
	},

	drawn: paint,
};

function warnings(words) {
	return words.length > 0 && h('div', {class: 'warnings', role: 'status'},
		h('ul', null, words.map(text => h('li', null, text))));
}

function tile(value, text, kind) {
	return h('div', {class: `tile ${kind ?? ''}`},
		h('strong', null, value), h('span', null, text));
}

function tiles({pool, cache}) {
	const {in_use: busy, max_connections: most, waiting} =
		pool?.pool_stats ?? {};
	const sums = latest()?.sums;
	return h('div', {class: 'tiles'},
		cache && tile(percent(cache.hit_rate, 1), t('hit_rate')),
		pool && tile(`${number(busy)} / ${number(most)}`,
			t('pool_in_use'), busy / most > 0.8 ? 'is-late' : ''),
		pool && tile(number(waiting ?? 0), t('queue'),
			waiting ? 'is-blocked' : ''),
		cache && tile(bytes(cache.bytes ?? 0), t('cache_size')),
		sums && tile(span(sums.uptime_seconds / 60), t('uptime')),
		sums && tile(number(sums.requests_total), t('requests')));
}

const ms = value => `${number(value, value < 10 ? 2 : 0)} ms`;

function charts({pool}) {
	const labels = times().map(clock);
	if (labels.length < 2)
		return empty(t('collecting'));
	const busiest = routes().slice(0, LINES);
	const gauge = name => (_, after) => after.sums[name] ?? 0;
	const chart = (title, spec) => h('section', {class: 'card'},
		figure(title, {kind: 'line', labels, ...spec}));
	return [
		h('p', {class: 'muted'}, t('charts_since', clock(begun()))),
		h('div', {class: 'two'},
			chart(t('hit_rate'), {max: 1, text: percent, series: [{
				label: t('hit_rate'), values: series(hitRate)}]}),
			chart(t('requests_per_second'), {
				text: value => number(value, 1), series: [{
					label: t('requests'), values: series(
						perSecond('requests_total'))}]}),
			chart(t('pool_and_queue'), {text: number,
				max: pool?.pool_stats.max_connections, series: [
					{label: t('open_connections'),
						values: series(gauge('pool_open'))},
					{label: t('in_use'),
						values: series(gauge('pool_busy'))},
					{label: t('waiting'), values: series(
						gauge('pool_waiting'))}]}),
			chart(t('times_by_route'), {text: ms,
				series: busiest.map(({route}) => ({
					label: route,
					values: series(mean(route))}))})),
	];
}

function routeTable() {
	const rows = routes();
	return rows.length ? table(t('routes_times'), [
		[t('route'), r => h('code', null, r.route)],
		[t('requests'), r => number(r.count), 'number'],
		[t('mean'), r => ms(r.mean), 'number'],
		[t('half_below'), r => bound(r.p50), 'number wide'],
		[t('nearly_all_below'), r => bound(r.p99), 'number'],
	], rows, {key: r => r.route}) : empty(t('collecting'));
}

const bound = value => value === Infinity ? t('longer')
	: Number.isNaN(value) ? '–' : `≤ ${ms(value)}`;

function workers({pool, cache}) {
	const slots = latest()?.slots ?? {};
	const segments = new Map(cache?.workers?.map(w => [w.slot, w]));
	return table(t('workers'), [
		[t('worker'), w => number(w.slot)],
		[t('process_id'), w => w.pid],
		[t('requests'), w => number(slots[w.slot]?.requests_total),
			'number'],
		[t('restarts'), w => number(
			slots[w.slot]?.worker_restarts_total), 'number'],
		[t('connections'), w => `${number(w.in_use)} / ` +
			number(w.open), 'number'],
		[t('waiting'), w => number(w.waiting), 'number wide'],
		[t('waited'), w => w.waited_ms?.count
			? ms(w.waited_ms.p99) : '–', 'number wide'],
		[t('timeouts'), w => number(w.timeouts), 'number wide'],
		[t('cache_filled'), w => {
			const of = segments.get(w.slot);
			return of ? percent(of.bytes / of.capacity, 1) : '–';
		}, 'number'],
	], pool.workers ?? [], {key: w => w.slot});
}

function slowTable(rows) {
	return rows.length ? table(t('slow_statements'), [
		[t('statement'), statement],
		[t('calls'), s => number(s.calls), 'number'],
		['p50', s => ms(s.ms.p50), 'number wide'],
		['p99', s => ms(s.ms.p99), 'number'],
		[t('longest'), s => ms(s.ms.max), 'number'],
		[t('rows'), s => number(s.rows), 'number wide'],
		[t('saved'), s => number(s.saved_by_cache), 'number wide'],
	], rows.slice(0, SLOWEST), {key: s => s.statement}) : empty(t('none'));
}

// One that was slow opens, and shows how the database means to run it.
function statement({statement: name, plan}) {
	return plan ? h('details', {class: 'plan'},
		h('summary', null, h('code', null, name)),
		h('pre', {tabindex: 0}, plan)) : h('code', null, name);
}

function cacheTable(cache) {
	const rows = Object.entries(cache.prefixes ?? {}).map(
		([name, of]) => ({name, ...of})).sort(
		(a, b) => b.bytes - a.bytes);
	return [facts(
		[t('entries'), number(cache.total_entries)],
		[t('not_modified'), number(cache.not_modified)],
		[t('evictions'), number(cache.evictions)],
		[t('bumps'), number(cache.bumps)],
	), rows.length ? table(t('cache'), [
		[t('name'), r => h('code', null, r.name)],
		[t('entries'), r => number(r.entries), 'number'],
		[t('size'), r => bytes(r.bytes), 'number'],
		[t('hits'), r => number(r.hits), 'number wide'],
		[t('misses'), r => number(r.misses), 'number wide'],
	], rows, {key: r => r.name}) : null];
}

function clear(cache) {
	const names = Object.keys(cache?.prefixes ?? {}).sort();
	return ask({
		title: t('clear_cache'), text: t('clear_cache_text'),
		fields: [{name: 'prefix', label: t('what'), type: 'select',
			options: [[null, t('everything')],
				...names.map(name => [name, name])]}],
		submit: t('clear_cache'), danger: true,
		act: ({prefix}) => post('/api/health/cache/clear',
			prefix ? {prefix} : {}),
	});
}
