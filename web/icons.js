// Icons: paths on a grid of 24, drawn with the colour of the text.

import {svg} from './dom.js';

const PATHS = {
	home: 'M4 11l8-7 8 7v9h-5v-6H9v6H4z',
	jobs: 'M4 5h16v11H4zM8 16v4M16 16v4M8 9h8M8 12h5',
	tasks: 'M4 6l1.500 1.500L8 5M4 12l1.500 1.500L8 11M4 18l1.500 1.500L8 17M12 6h8M12 12h8M12 18h8',
	machines: 'M7 8V3h10v5M4 8h16v9h-3M7 17H4V8M7 14h10v7H7z',
	customers: 'M9 11a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM3 20c0-4 2.500-6 6-6s6 2 6 6M16 4.500a3.500 3.500 0 010 6.500M18 14.500c2 .8 3 2.800 3 5.500',
	bell: 'M6 16V11a6 6 0 0112 0v5l2 2H4zM10 21h4',
	people: 'M12 11a4 4 0 100-8 4 4 0 000 8zM4 21c0-5 3-7 8-7s8 2 8 7',
	server: 'M4 4h16v7H4zM4 13h16v7H4zM8 7.500h.01M8 16.500h.01M12 7.500h5M12 16.500h5',
	menu: 'M4 7h16M4 12h16M4 17h16',
	search: 'M11 18a7 7 0 100-14 7 7 0 000 14zM16 16l5 5',
	plus: 'M12 5v14M5 12h14',
	play: 'M8 5l11 7-11 7z',
	pause: 'M9 5v14M15 5v14',
	check: 'M5 12.500l4.500 4.500L19 7',
	cross: 'M6 6l12 12M18 6L6 18',
	clock: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3.500 2',
	hand: 'M12 3v10M8 5v9M16 5v9M20 9v6c0 4-3 6-7 6-3 0-5-1-6-3l-3-5c1-1.500 2.500-1 4 1',
	undo: 'M8 5L4 9l4 4M4 9h10a6 6 0 010 12h-3',
	edit: 'M4 20l1-5L16 4l4 4L9 19zM13 7l4 4',
	trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
	note: 'M4 4h16v12h-8l-5 4v-4H4z',
	up: 'M6 15l6-6 6 6',
	down: 'M6 9l6 6 6-6',
	left: 'M15 6l-6 6 6 6',
	right: 'M9 6l6 6-6 6',
	theme: 'M12 3v18a9 9 0 000-18zM12 21a9 9 0 010-18',
	out: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
	pin: 'M12 21c4-5 6-8 6-11a6 6 0 10-12 0c0 3 2 6 6 11zM12 12a2 2 0 100-4 2 2 0 000 4z',
};

export function icon(name) {
	return svg('svg', {class: 'icon', viewBox: '0 0 24 24',
		'aria-hidden': 'true', focusable: 'false'},
	svg('path', {d: PATHS[name]}));
}
