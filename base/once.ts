/** Things that are made when they are first asked for, and then no more. */

/** One for each key. */
export function once<Key, Value>(make: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
	const made = new Map<Key, Promise<Value>>();
	return async key => {
		const value = made.get(key) ?? make(key);
		made.set(key, value);
		return value;
	};
}

/** The same for what there is one of. */
export const single = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
	const made = once(make);
	return async () => made(undefined);
};

/** One for each key that an owner has, made as the first who asks says; gone with the owner. */
export function onceWithin<Owner extends object, Value>(): (owner: Owner, key: string, make: () => Promise<Value>) => Promise<Value> {
	const owned = new WeakMap<Owner, Map<string, Promise<Value>>>();
	return async (owner, key, make) => {
		const made = owned.get(owner) ?? new Map<string, Promise<Value>>();
		owned.set(owner, made);
		const value = made.get(key) ?? make();
		made.set(key, value);
		return value;
	};
}
