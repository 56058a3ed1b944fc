// What may be done with a job and with a step: the table of it.

import {patch, post, remove} from './api.js';
import {choices, stepFields} from './choices.js';
import {ask, perform} from './dialog.js';
import {number} from './format.js';
import {button} from './parts.js';
import {isManager, may, me} from './session.js';
import {t} from './words.js';

const RUNNING = ['active', 'in_progress'];
const UNFINISHED = ['draft', 'active', 'in_progress', 'on_hold'];

// --- steps ---

const isMine = step => step.assigned_to?.id === me().id;
const byWorker = step => isManager() || isMine(step) ||
	(!step.assigned_to && may('jobs.update'));
const byOwner = step => isManager() || isMine(step);
const path = (step, event) => `/api/jobs/steps/${step.id}/${event}`;

const PAUSES = ['no_material', 'machine_fault', 'no_approval', 'shift_end'];

const STEP_ACTIONS = [
	{name: 'start', icon: 'play', from: ['ready'], jobs: RUNNING,
		who: byWorker, main: true,
		act: step => perform(() => post(path(step, 'start')))},
	{name: 'resume', icon: 'play', from: ['blocked'], jobs: RUNNING,
		who: byWorker, main: true,
		act: step => perform(() => post(path(step, 'resume')))},
	{name: 'complete', icon: 'check', from: ['in_progress'], jobs: RUNNING,
		who: byWorker, main: true, act: complete},
	{name: 'produce', icon: 'plus', from: ['in_progress'], jobs: RUNNING,
		who: byWorker, act: produce},
	{name: 'pause', icon: 'pause', from: ['in_progress', 'ready'],
		jobs: RUNNING, who: byWorker, act: pause},
	{name: 'activate_step', icon: 'right', from: ['pending'],
		jobs: RUNNING, who: byOwner,
		act: step => perform(() => post(path(step, 'activate')))},
	{name: 'reopen', icon: 'undo', from: ['completed'],
		jobs: [...UNFINISHED.slice(1), 'completed'], who: byOwner,
		act: reopen},
	{name: 'note', icon: 'note', who: () => may('jobs.view'), act: note},
	{name: 'edit', icon: 'edit', from: ['pending', 'ready', 'in_progress',
		'blocked', 'on_hold'], who: isManager, act: editStep,
	detail: true},
	{name: 'delete', icon: 'trash', from: ['pending', 'ready'],
		who: isManager, act: deleteStep, detail: true},
];

/*
 * The buttons of a step that the asker may press.  `jobStatus` is its job's;
 * not `detailed`: only what is needed to work.
 */
export function stepActions(step, jobStatus, detailed = true) {
	return STEP_ACTIONS
		.filter(a => !a.from || a.from.includes(step.status))
		.filter(a => !a.jobs || a.jobs.includes(jobStatus))
		.filter(a => a.who(step) && (detailed || !a.detail))
		.map(a => button(t(`do_${a.name}`), a.icon,
			() => a.act(step), {class: a.main ? 'main' : null,
				'data-do': a.name, 'data-key': a.name}));
}

function pause(step) {
	return ask({
		title: `${t('do_pause')}: ${step.process.name}`,
		fields: [{name: 'reason', label: t('pause_reason'),
			required: true, quick: PAUSES.map(name =>
				[t(name), t(name)])}],
		submit: t('do_pause'),
		act: values => post(path(step, 'pause'), values),
	});
}

function missing(step) {
	return Math.max(0, (step.required_quantity ?? 0) -
		(step.production_quantity ?? 0));
}

function amountHint(step) {
	const unit = step.production_unit ?? '';
	return step.required_quantity
		? t('made_of', number(step.production_quantity ?? 0, 2),
			number(step.required_quantity, 2), unit)
		: step.production_quantity
			? t('made', number(step.production_quantity, 2), unit)
			: null;
}

const unitField = step => ({name: 'production_unit', label: t('unit'),
	value: step.production_unit, suggested: t('piece')});

function produce(step) {
	const amounts = [1, 5, 10, 25, missing(step)].filter((n, i, all) =>
		n > 0 && all.indexOf(n) === i);
	return ask({
		title: `${t('do_produce')}: ${step.process.name}`,
		fields: [
			{name: 'production_quantity', label: t('quantity'),
				type: 'number', required: true,
				hint: amountHint(step),
				quick: amounts.map(n => [n, `+${number(n, 2)}`])},
			unitField(step),
			{name: 'production_notes', label: t('notes')},
		],
		submit: t('add'),
		act: values => post(path(step, 'production'), values),
	});
}

function complete(step) {
	return ask({
		title: `${t('do_complete')}: ${step.process.name}`,
		fields: step.has_production || step.production_quantity ? [
			{name: 'production_quantity', label: t('total_made'),
				type: 'number', min: 0, hint: amountHint(step),
				value: step.production_quantity,
				suggested: step.required_quantity},
			unitField(step),
			{name: 'production_notes', label: t('notes'),
				type: 'textarea'},
		] : [{name: 'production_notes', label: t('notes'),
			type: 'textarea'}],
		submit: t('do_complete'),
		act: values => post(path(step, 'complete'), values),
	});
}

function reopen(step) {
	return ask({
		title: `${t('do_reopen')}: ${step.process.name}`,
		text: t('reopen_text'),
		fields: [{name: 'reason', label: t('reason')}],
		submit: t('do_reopen'),
		act: values => post(path(step, 'reopen'), values),
	});
}

function note(step) {
	return ask({
		title: `${t('do_note')}: ${step.process.name}`,
		fields: [{name: 'note', label: t('note'), type: 'textarea',
			required: true}],
		submit: t('add'),
		act: values => post(path(step, 'notes'), values),
	});
}

function deleteStep(step) {
	return ask({
		title: t('do_delete'), text: t('delete_step_text',
			step.process.name),
		submit: t('do_delete'), danger: true,
		act: () => remove(`/api/jobs/steps/${step.id}`),
	});
}

async function editStep(step) {
	return ask({
		title: `${t('do_edit')}: ${step.process.name}`,
		fields: stepFields(await choices(), step), edits: true,
		act: values => patch(`/api/jobs/steps/${step.id}`, values),
	});
}

// --- jobs ---

export const PRIORITIES = ['low', 'normal', 'high', 'urgent'];

const withReason = (name, danger) => job => ask({
	title: `${t(`do_${name}`)}: ${job.job_number}`,
	text: t(`${name}_text`),
	fields: [{name: 'reason', label: t('reason')}],
	submit: t(`do_${name}`), danger,
	act: values => post(`/api/jobs/${job.id}/${name}`, values),
});

const JOB_ACTIONS = [
	{name: 'activate', icon: 'play', from: ['draft'], main: true,
		act: job => perform(() => post(
			`/api/jobs/${job.id}/activate`))},
	{name: 'resume', icon: 'play', from: ['on_hold'], main: true,
		act: job => perform(() => post(`/api/jobs/${job.id}/resume`))},
	{name: 'edit', icon: 'edit', from: ['draft'], act: editJob},
	{name: 'add_step', icon: 'plus', from: UNFINISHED, act: addStep},
	{name: 'revise', icon: 'edit', from: [...UNFINISHED.slice(1),
		'completed'], act: revise},
	{name: 'hold', icon: 'pause', from: ['active', 'in_progress'],
		act: withReason('hold')},
	{name: 'cancel', icon: 'cross', from: UNFINISHED,
		act: withReason('cancel', true)},
];

export function jobActions(job) {
	return isManager() ? JOB_ACTIONS
		.filter(a => a.from.includes(job.status))
		.map(a => button(t(`do_${a.name}`), a.icon, () => a.act(job),
			{class: a.main ? 'main' : null, 'data-do': a.name,
				'data-key': a.name})) : [];
}

function jobFields(job) {
	return [
		{name: 'title', label: t('title'), required: true,
			maxlength: 255, value: job.title},
		{name: 'priority', label: t('priority'), type: 'select',
			value: job.priority ?? 'normal',
			options: PRIORITIES.map(p => [p, t(`priority_${p}`)])},
		{name: 'due_date', label: t('due_date'), type: 'date',
			value: job.due_date},
	];
}

const descriptionField = (job, name) => ({name, label: t('description'),
	type: 'textarea', value: job.description});

function editJob(job) {
	return ask({
		title: `${t('do_edit')}: ${job.job_number}`,
		fields: [...jobFields(job), descriptionField(job, 'description')],
		edits: true,
		act: values => patch(`/api/jobs/${job.id}`, values),
	});
}

function revise(job) {
	return ask({
		title: `${t('do_revise')}: ${job.job_number}`,
		text: t('revise_text'),
		fields: [{name: 'revision_reason', label: t('reason'),
			required: true}, ...jobFields(job),
		descriptionField(job, 'job_description')],
		submit: t('do_revise'),
		// Null would leave the description as it is.
		act: values => post(`/api/jobs/${job.id}/revise`,
			values.job_description === null
				? {...values, job_description: ''} : values),
	});
}

async function addStep(job) {
	return ask({
		title: `${t('do_add_step')}: ${job.job_number}`,
		fields: stepFields(await choices()),
		submit: t('add'),
		act: values => post(`/api/jobs/${job.id}/steps`, values),
	});
}
