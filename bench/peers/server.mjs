// Node.js's habits: a cluster, fastify, a pool, named statements, a Map.
import cluster from 'node:cluster';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(process.env.PEER_MODULES + '/');
const settings = JSON.parse(readFileSync(process.env.PEER_SETTINGS));
const { PEER_SOCKET, PEER_PROCESSES, PEER_CONNECTIONS } = process.env;

if (cluster.isPrimary) {
	rmSync(PEER_SOCKET, { force: true });
	for (let i = 0; i < Number(PEER_PROCESSES); i++)
		cluster.fork();
	process.on('SIGTERM', () => {
		for (const w of Object.values(cluster.workers))
			w.process.kill();
		process.exit(0);
	});
} else {
	// Longer than nginx keeps a connection.
	const app = require('fastify')({ keepAliveTimeout: 75000 });
	const { Pool, types } = require('pg');
	const pool = new Pool({
		host: settings.host, user: settings.user,
		database: settings.database, options: settings.options,
		max: Number(PEER_CONNECTIONS), idleTimeoutMillis: 0,
	});
	// The statements' JSON is passed on as text.
	types.setTypeParser(114, String);
	types.setTypeParser(3802, String);
	const cache = new Map();

	const run = async (name, values) => {
		const s = settings.statements[name];
		const result = await pool.query({
			name, text: s.numbered,
			values: s.arguments.map(a => values[a] ?? null),
		});
		return result.rows[0];
	};
	const user = header => {
		const parts = ((header ?? '').split(' ')[1] ?? '').split('.');
		if (parts.length !== 3)
			return null;
		const mac = createHmac('sha256', settings.secret)
			.update(parts[0] + '.' + parts[1]).digest();
		const sent = Buffer.from(parts[2], 'base64url');
		if (sent.length !== mac.length || !timingSafeEqual(mac, sent))
			return null;
		const claims = JSON.parse(Buffer.from(parts[1], 'base64url'));
		return claims.exp < Date.now() / 1000 ? null : claims;
	};
	app.decorateRequest('user', null);
	app.addHook('onRequest', async (request, reply) => {
		request.user = user(request.headers.authorization);
		if (request.user === null)
			return reply.code(401).send({
				error: settings.texts.token_invalid });
	});
	const answer = (reply, row) => {
		if (row === undefined)
			return reply.code(404).send({
				error: settings.texts.not_found });
		const body = row.message === undefined ? row.body :
			'{"message":' + JSON.stringify(
				settings.texts[row.message]) + ',' +
			row.body.slice(1);
		return reply.code(row.status ?? 200).type('application/json')
			.send(body);
	};
	const today = settings.today;
	const stats = ({ role, user_id }) => run('dashboard_stats', {
		today, operator: role === 'operator' ? user_id : null });

	app.get('/api/dashboard/stats', async (request, reply) => {
		const key = 'stats:' + request.user.user_id;
		let found = cache.get(key);
		if (!found || found.until < Date.now()) {
			found = { until: Date.now() + 30000,
				row: await stats(request.user) };
			cache.set(key, found);
		}
		return answer(reply, found.row);
	});
	app.get('/uncached/dashboard/stats', async (request, reply) =>
		answer(reply, await stats(request.user)));
	app.get('/api/jobs', async (request, reply) =>
		answer(reply, await run('jobs', { ...request.query, today })));
	app.get('/api/jobs/:id', async (request, reply) =>
		answer(reply, await run('job', request.params)));
	app.get('/api/customers', async (request, reply) =>
		answer(reply, await run('customers', request.query)));
	app.post('/api/jobs/steps/:id/notes', async (request, reply) =>
		answer(reply, await run('step_note', {
			id: request.params.id, me: request.user.user_id,
			body: JSON.stringify(request.body),
		})));
	app.listen({ path: PEER_SOCKET });
}
