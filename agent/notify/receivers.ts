/** Who is told: a chat or another program, and people by mail, as the configuration has them. */
import type {Config} from '../config/config.ts';
import {mail} from './mail.ts';
import type {Message} from './message.ts';
import type {Receiver} from './queue.ts';
import {webhook} from './webhook.ts';

export const receiversOf = ({webhook: hook, mail: post}: Config['notify']): Array<Receiver<Message>> => [
	...(hook === undefined ? [] : [webhook(hook)]),
	...(post === undefined ? [] : [mail(post)]),
];
