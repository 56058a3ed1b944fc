// Elements, and drawing them over those that are there.

const SVG = 'http://www.w3.org/2000/svg';

// What is set on the element itself and not as an attribute.
const isOwn = name => name.startsWith('on') || name === 'value' ||
	name === 'checked' || name === 'spec';

/*
 * h('a', {href: '#/'}, 'text', [more], null): text becomes text, whatever is
 * in it; false, null and undefined are left out.
 */
export function h(name, props, ...children) {
	const e = document.createElement(name);
	return fill(e, props, children);
}

export function svg(name, props, ...children) {
	return fill(document.createElementNS(SVG, name), props, children);
}

function fill(e, props, children) {
	e.own = {};
	append(e, children);
	for (const [name, value] of Object.entries(props ?? {})) {
		if (value === null || value === undefined || value === false)
			continue;
		if (isOwn(name))
			e[name] = e.own[name] = value;
		else
			e.setAttribute(name, value === true ? '' : value);
	}
	return e;
}

function append(to, children) {
	for (const child of children.flat(Infinity)) {
		if (child !== null && child !== undefined && child !== false)
			to.append(child);
	}
}

/*
 * Makes the children of `place` these.  What is alike stays the element that
 * it is, with its focus, its place on the screen and what was typed; elements
 * with a data-key are recognised by it, others by their place.
 */
export function draw(place, ...children) {
	const wanted = document.createDocumentFragment();
	append(wanted, children);
	becomeChildren(place, wanted);
}

function becomeChildren(have, wanted) {
	const keyed = new Map();
	for (const child of have.childNodes) {
		if (keyOf(child) !== undefined)
			keyed.set(keyOf(child), child);
	}
	const stays = new Set();
	let at = have.firstChild;
	for (const want of [...wanted.childNodes]) {
		const key = keyOf(want);
		let found = key === undefined ? at : keyed.get(key);
		if (!found || found.nodeName !== want.nodeName ||
		    keyOf(found) !== key || stays.has(found)) {
			have.insertBefore(want, at);
			stays.add(want);
			continue;
		}
		if (found === at)
			at = at.nextSibling;
		else
			have.insertBefore(found, at);
		stays.add(found);
		become(found, want);
	}
	for (const child of [...have.childNodes]) {
		if (!stays.has(child))
			child.remove();
	}
}

function keyOf(node) {
	return node.dataset?.key;
}

function become(have, want) {
	if (have.nodeType !== Node.ELEMENT_NODE) {
		if (have.data !== want.data)
			have.data = want.data;
		return;
	}
	becomeAttributes(have, want);
	// A chart draws its own inside.
	if (!have.hasAttribute('data-own'))
		becomeChildren(have, want);
	becomeOwn(have, want.own ?? {});
}

function becomeAttributes(have, want) {
	for (const {name, value} of want.attributes) {
		if (have.getAttribute(name) !== value)
			have.setAttribute(name, value);
	}
	for (const {name} of [...have.attributes]) {
		// The reader opened it.
		if (!want.hasAttribute(name) && name !== 'open')
			have.removeAttribute(name);
	}
}

function becomeOwn(have, own) {
	for (const name of Object.keys(have.own ?? {})) {
		if (name.startsWith('on') && !(name in own))
			have[name] = null;
	}
	for (const [name, value] of Object.entries(own)) {
		// What somebody is typing is his.
		const typing = name === 'value' &&
			document.activeElement === have;
		if (!typing && have[name] !== value)
			have[name] = value;
	}
	have.own = own;
}
