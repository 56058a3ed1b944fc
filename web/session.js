// Who is logged in, and what he may.  It ends with the tab.

const KEY = 'reklam.session';
let session = read();

function read() {
	try {
		return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
	} catch {
		return {};
	}
}

export const token = () => session.token;
export const me = () => session.user ?? {};

export function begin(token, user) {
	session = {token, user};
	sessionStorage.setItem(KEY, JSON.stringify(session));
}

// The answers of auth/me and permissions/me.
export function learn(user, rights) {
	session = {...session, user, rights};
	sessionStorage.setItem(KEY, JSON.stringify(session));
}

export function end() {
	session = {};
	sessionStorage.removeItem(KEY);
}

const roleCodes = () => [me().role, ...(me().roles ?? [])
	.map(role => role.code)];

export const isManager = () => roleCodes().includes('yonetici');
export const isOperator = () => me().role === 'operator';

/*
 * may('jobs.update').  It decides what is offered, not what is allowed: that
 * the server does.
 */
export function may(right) {
	const [resource, action] = right.split('.');
	return isManager() || Boolean(
		session.rights?.permissions?.[resource]?.[`can_${action}`]);
}
