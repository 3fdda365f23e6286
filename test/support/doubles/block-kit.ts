/** Slack's limits on blocks, as its reference states them: what breaks one is refused by Slack as a whole. */

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);

const blockTypes = new Set(['section', 'context', 'header', 'divider', 'actions', 'input']);
const elementTypes = new Set(['button', 'static_select', 'checkboxes', 'plain_text_input', 'radio_buttons']);

/** Every mistake, with where it is. */
export function checkMessage(message: Json): string[] {
	const text = String(message.text ?? '');
	return [...(text === '' || text.length > 4000 ? [`text: ${text.length} characters`] : []), ...checkBlocks(message.blocks, 50)];
}

export function checkView(view: Json): string[] {
	const modal = view.type === 'modal';
	return [
		...(modal ? checkText(view.title, 'title', 24) : []),
		...(view.submit === undefined ? [] : checkText(view.submit, 'submit', 24)),
		...(view.close === undefined ? [] : checkText(view.close, 'close', 24)),
		...(list(view.blocks).some(({type}) => type === 'input') && view.submit === undefined ? ['submit: missing, and there are inputs'] : []),
		...(String(view.private_metadata ?? '').length > 3000 ? ['private_metadata: too long'] : []),
		...(String(view.callback_id ?? '').length > 255 ? ['callback_id: too long'] : []),
		...checkBlocks(view.blocks, 100),
	];
}

function checkBlocks(given: unknown, most: number): string[] {
	const blocks = list(given);
	const ids = blocks.map(({block_id: id}) => id).filter(id => id !== undefined);
	return [
		...(blocks.length === 0 || blocks.length > most ? [`${blocks.length} blocks of ${most}`] : []),
		...(new Set(ids).size === ids.length ? [] : ['block_id: twice']),
		...blocks.flatMap((block, index) => checkBlock(block).map(mistake => `blocks.${index}.${mistake}`)),
	];
}

function checkBlock(block: Json): string[] {
	const {type} = block;
	const known = blockTypes.has(String(type)) ? [] : [`unknown type ${type}`];
	switch (type) {
		case 'section':
			return [...known, ...checkText(block.text, 'text', 3000)];
		case 'header':
			return [...known, ...checkText(block.text, 'text', 150, 'plain_text')];
		case 'context': {
			const elements = list(block.elements);
			return [
				...(elements.length < 1 || elements.length > 10 ? ['elements: 1 to 10'] : []),
				...elements.flatMap(element => checkText(element, 'element', 3000)),
			];
		}
		case 'actions': {
			const elements = list(block.elements);
			const ids = elements.map(({action_id: id}) => id);
			return [
				...(elements.length < 1 || elements.length > 25 ? ['elements: 1 to 25'] : []),
				...(new Set(ids).size === ids.length ? [] : ['action_id: twice']),
				...elements.flatMap(checkElement),
			];
		}
		case 'input':
			return [
				...checkText(block.label, 'label', 2000, 'plain_text'),
				...(isObject(block.element) ? checkElement(block.element) : ['element: missing']),
			];
		default:
			return known;
	}
}

function checkElement(element: Json): string[] {
	const id = String(element.action_id ?? '');
	const options = [...list(element.options), ...list(element.option_groups).flatMap(group => list(group.options))];
	const groups = list(element.option_groups);
	const values = options.map(({value}) => value);
	const initial = element.initial_option as Json | undefined;
	return [
		...(elementTypes.has(String(element.type)) ? [] : [`unknown element ${element.type}`]),
		...(id === '' || id.length > 255 ? ['action_id: 1 to 255'] : []),
		...(element.type === 'button'
			? [...checkText(element.text, 'text', 75, 'plain_text'), ...(String(element.value ?? '').length > 2000 ? ['value: too long'] : [])]
			: []),
		...(isObject(element.confirm)
			? [
					...checkText(element.confirm.title, 'confirm.title', 100, 'plain_text'),
					...checkText(element.confirm.text, 'confirm.text', 300),
					...checkText(element.confirm.confirm, 'confirm.confirm', 30, 'plain_text'),
					...checkText(element.confirm.deny, 'confirm.deny', 30, 'plain_text'),
				]
			: []),
		...(element.placeholder === undefined ? [] : checkText(element.placeholder, 'placeholder', 150, 'plain_text')),
		...(element.type === 'static_select' && options.length === 0 ? ['options: none'] : []),
		...(list(element.options).length > (element.type === 'static_select' ? 100 : 10) ? ['options: too many'] : []),
		...(groups.length > 100 || groups.some(group => list(group.options).length > 100 || list(group.options).length === 0)
			? ['option_groups: too many']
			: []),
		...groups.flatMap(group => checkText(group.label, 'group', 75, 'plain_text')),
		...(new Set(values).size === values.length ? [] : ['options: a value twice']),
		...options.flatMap(option => [
			...checkText(option.text, 'option', 75, 'plain_text'),
			...(option.description === undefined ? [] : checkText(option.description, 'description', 75, 'plain_text')),
			...(String(option.value ?? '').length < 1 || String(option.value).length > 150 ? ['option value: 1 to 150'] : []),
		]),
		...(initial === undefined || options.some(option => JSON.stringify(option) === JSON.stringify(initial))
			? []
			: ['initial_option: not one of the options']),
	];
}

function checkText(given: unknown, name: string, most: number, type?: string): string[] {
	if (!isObject(given) || typeof given.text !== 'string') {
		return [`${name}: missing`];
	}

	return [
		...(given.text.length < 1 || given.text.length > most ? [`${name}: ${given.text.length} characters of ${most}`] : []),
		...(type !== undefined && given.type !== type ? [`${name}: must be ${type}`] : []),
	];
}

/** What a text shows that Slack would obey: mentions, links and formatting that stand outside code. */
export function obeyed(text: string): string[] {
	const outside = text.replaceAll(/```[^`]*```|`[^`\n]*`/g, '');
	const inside = [...text.matchAll(/```([^`]*)```|`([^`\n]*)`/g)].map(([, block, span]) => block ?? span ?? '').join(' ');
	return [...inside.matchAll(/<[^>]*>/g), ...outside.matchAll(/<(?!@[UW][A-Z0-9]+>|!date\^)[^>]*>/g)].map(([found]) => found);
}

/** Every mrkdwn text of blocks. */
export function textsOf(value: unknown): string[] {
	if (Array.isArray(value)) {
		return value.flatMap(textsOf);
	}

	if (!isObject(value)) {
		return [];
	}

	const own = value.type === 'mrkdwn' && typeof value.text === 'string' ? [value.text] : [];
	return [...own, ...Object.values(value).flatMap(textsOf)];
}
