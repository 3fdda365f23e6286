/** What every answer says to browsers; pages have a policy of their own. What is for HTTPS only, whoever puts TLS in front sends. */
export const commonHeaders: Readonly<Record<string, string>> = {
	'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
	'Cross-Origin-Resource-Policy': 'same-origin',
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
	'X-DNS-Prefetch-Control': 'off',
	'X-Download-Options': 'noopen',
	'X-Frame-Options': 'DENY',
	'X-Permitted-Cross-Domain-Policies': 'none',
	'X-XSS-Protection': '0',
	'Cache-Control': 'no-store',
};
