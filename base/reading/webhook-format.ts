/** Chat services whose messages are known: agent/notify/templates.ts has them. */
export const webhookFormats = ['discord', 'gotify', 'mattermost', 'ntfy', 'telegram'] as const;

export type WebhookFormat = (typeof webhookFormats)[number];
