// The server's numbers of the last quarter of an hour, from /api/metrics.

const WINDOW = 15 * 60000;	// milliseconds
const APART = 4000;		// samples are at least that far from another
let samples = [];

// name{label="value",…} number → {name, labels, value}
const LINE = /^reklam_(\w+?)(?:\{(.*?)\})? (\S+)$/;

function parse(text) {
	return text.split('\n').map(line => LINE.exec(line)).filter(Boolean)
		.map(([, name, labels, value]) => ({name, value: Number(value),
			labels: Object.fromEntries([...(labels ?? '').matchAll(
				/(\w+)="(.*?)"/g)].map(m => [m[1], m[2]]))}));
}

// The sums over all workers, and each route's histogram.
function sampleOf(text) {
	const sample = {at: Date.now(), sums: {}, slots: {}, routes: {}};
	for (const {name, labels, value} of parse(text)) {
		if (name.startsWith('http_request_seconds'))
			addRoute(sample.routes, name, labels, value);
		else if (!('le' in labels))
			addSum(sample, name, labels, value);
	}
	return sample;
}

function addSum({sums, slots}, name, {slot}, value) {
	sums[name] = (sums[name] ?? 0) + value;
	if (slot !== undefined)
		(slots[slot] ??= {})[name] = value;
}

function addRoute(routes, name, {method, route, le}, value) {
	const it = routes[`${method} ${route}`] ??= {buckets: []};
	if (name.endsWith('_bucket'))
		it.buckets.push([le === '+Inf' ? Infinity : Number(le), value]);
	else
		it[name.endsWith('_sum') ? 'sum' : 'count'] = value;
}

export function take(text) {
	const last = samples[samples.length - 1];
	if (last && Date.now() - last.at < APART)
		return;
	const sample = sampleOf(text);
	// Counters begin again with a new program.
	if (last && sample.sums.requests_total < last.sums.requests_total)
		samples = [];
	samples = [...samples, sample].filter(
		s => sample.at - s.at <= WINDOW);
}

export const latest = () => samples[samples.length - 1];
export const begun = () => samples[0]?.at;

/*
 * A point for each pair of neighbours: of(before, after) → number or null.
 * A gap in which nobody looked is one long interval.
 */
export function series(of) {
	return samples.slice(1).map((after, i) => of(samples[i], after));
}

export const times = () => samples.slice(1).map(s => s.at);

const grown = name => (a, b) =>
	(b.sums[name] ?? 0) - (a.sums[name] ?? 0);

export function perSecond(name) {
	return (a, b) => grown(name)(a, b) / ((b.at - a.at) / 1000);
}

export function hitRate(a, b) {
	const hits = grown('hits_total')(a, b);
	const all = hits + grown('misses_total')(a, b) +
		grown('waits_total')(a, b);
	return all ? hits / all : null;
}

function difference(route, a, b) {
	const after = b.routes[route];
	const before = a.routes[route];
	return after && {
		count: after.count - (before?.count ?? 0),
		sum: after.sum - (before?.sum ?? 0),
		buckets: after.buckets.map(([le, n], i) =>
			[le, n - (before?.buckets[i][1] ?? 0)]),
	};
}

// Milliseconds; null when nobody asked.
export function mean(route) {
	return (a, b) => {
		const d = difference(route, a, b);
		return d?.count ? 1000 * d.sum / d.count : null;
	};
}

// The bound below which that share of the answers stayed, in milliseconds.
function quantile({count, buckets}, share) {
	const [le] = buckets.find(([, n]) => n >= share * count) ?? [NaN];
	return le * 1000;
}

// Each route that was asked for in the window: {route, count, mean, p50, p99}.
export function routes() {
	const first = samples[0];
	const last = latest();
	if (!last || first === last)
		return [];
	return Object.keys(last.routes)
		.map(route => ({route, ...difference(route, first, last)}))
		.filter(r => r.count > 0)
		.map(r => ({route: r.route, count: r.count,
			mean: 1000 * r.sum / r.count,
			p50: quantile(r, 0.5), p99: quantile(r, 0.99)}))
		.sort((a, b) => b.count - a.count);
}
