// Charts by Chart.js, each with its table behind.  Without it: the tables.

import {h} from './dom.js';
import {t} from './words.js';

const LIBRARY = '/web/lib/chart.js/chart.min.js';
const COLOURS = ['--c1', '--c2', '--c3', '--c4', '--c5', '--c6'];
const living = new Set();
let loading;

/*
 * figure('Jobs by month', {kind: 'bar', labels, series: [{label, values,
 * colours}], text: value => '12 %'}).  `sideways` makes its bars lie.
 */
export function figure(title, spec) {
	return h('figure', {class: 'chart', 'data-key': title},
		h('figcaption', null, title),
		h('div', {class: 'plot', 'data-own': true, spec},
			h('canvas', {role: 'img', 'aria-label': title})),
		h('details', null, h('summary', null, t('as_table')),
			dataTable(title, spec)));
}

function dataTable(title, {labels, series, text = String}) {
	return h('div', {class: 'table', role: 'region', tabindex: 0,
		'aria-label': title}, h('table', null,
		h('thead', null, h('tr', null, h('td', null, ''),
			series.map(s => h('th', {scope: 'col'}, s.label)))),
		h('tbody', null, labels.map((label, i) => h('tr', null,
			h('th', {scope: 'row'}, label),
			series.map(s => h('td', {class: 'number'},
				s.values[i] === null ? '–'
					: text(s.values[i]))))))));
}

// Draws the figures on the page that changed.
export async function paint(place) {
	for (const chart of living) {
		if (!chart.canvas.isConnected) {
			living.delete(chart);
			chart.destroy();
		}
	}
	const plots = [...place.querySelectorAll('.plot')].filter(
		plot => plot.painted !== plot.spec);
	if (!plots.length)
		return;
	try {
		await (loading ??= import(LIBRARY));
	} catch {
		document.documentElement.classList.add('without-charts');
		for (const details of place.querySelectorAll('.chart details'))
			details.open = true;
		return;
	}
	for (const plot of plots)
		paintOne(plot);
}

function paintOne(plot) {
	plot.painted = plot.spec;
	const config = configOf(plot.spec);
	if (plot.chart) {
		plot.chart.data.labels = config.data.labels;
		config.data.datasets.forEach((set, i) => {
			const have = plot.chart.data.datasets[i];
			if (have)
				Object.assign(have, set);
			else
				plot.chart.data.datasets.push(set);
		});
		plot.chart.data.datasets.length = config.data.datasets.length;
		plot.chart.options = config.options;
		plot.chart.update('none');
		return;
	}
	plot.chart = new globalThis.Chart(plot.firstChild, config);
	living.add(plot.chart);
}

function configOf({kind, labels, series, sideways, stacked, text = String,
	max}) {
	const style = getComputedStyle(document.documentElement);
	const colour = name => style.getPropertyValue(name).trim();
	const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
	const numbers = {
		beginAtZero: true, stacked, suggestedMax: max,
		grid: {color: colour('--line'), drawBorder: false},
		ticks: {color: colour('--muted'), precision: 0,
			maxTicksLimit: 6, callback: value => text(value)},
	};
	const names = {
		stacked, grid: {display: false},
		ticks: {color: colour('--muted'), maxRotation: 0,
			autoSkipPadding: 12,
			autoSkip: !sideways},
	};
	return {
		type: kind,
		data: {labels, datasets: series.map((s, i) => ({
			label: s.label, data: s.values,
			backgroundColor: s.colours?.map(colour) ??
				colour(COLOURS[i % COLOURS.length]),
			borderColor: colour(COLOURS[i % COLOURS.length]),
			borderWidth: kind === 'line' ? 2 : 0,
			borderRadius: 4, maxBarThickness: 44,
			spanGaps: true, tension: 0.25, pointHitRadius: 10,
			pointRadius: s.values.length < 20 ? 2 : 0,
		}))},
		options: {
			indexAxis: sideways ? 'y' : 'x',
			animation: still ? false : {duration: 300},
			maintainAspectRatio: false,
			interaction: {mode: 'index', intersect: false},
			scales: sideways ? {x: numbers, y: names}
				: {x: names, y: numbers},
			plugins: {
				legend: {display: series.length > 1,
					position: 'bottom', labels: {
						color: colour('--ink'),
						boxWidth: 12}},
				tooltip: {callbacks: {label: item =>
					`${item.dataset.label}: ` +
					text(item.parsed[sideways ? 'x' : 'y'])}},
			},
		},
	};
}

// The colours changed with the theme.
export function repaint() {
	for (const plot of document.querySelectorAll('.plot'))
		plot.painted = null;
	return paint(document);
}
