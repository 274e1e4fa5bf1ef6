// The link that a person is given in the middle of a call: their client has a
// token of Nextcloud's oidc app, which Nextcloud's own API does not take.
import { strict as assert } from 'node:assert';
import crypto from 'node:crypto';
import { Client } from './client.mjs';
import { logIn, openNextcloud } from './person.mjs';

// fromProvider is a client of the MCP server whose token the oidc app gave it.
async function fromProvider(page, server, loopback, who) {
  const metadata = await (await fetch(`${server}/.well-known/oauth-protected-resource/mcp`)).json();
  const issuer = await (await fetch(`${metadata.authorization_servers[0]}/.well-known/openid-configuration`)).json();
  const registered = await (await fetch(issuer.registration_endpoint, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'Linked Client', redirect_uris: [loopback.redirect], token_endpoint_auth_method: 'none' }),
  })).json();
  const state = crypto.randomBytes(16).toString('hex'), verifier = crypto.randomBytes(32).toString('base64url');
  const back = loopback.arrived(state);
  await page.goto(`${issuer.authorization_endpoint}?${new URLSearchParams({
    response_type: 'code', client_id: registered.client_id, redirect_uri: loopback.redirect, state, scope: 'openid profile notes.read', resource: `${server}/mcp`,
    code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  })}`);
  await logIn(page, who);
  await page.getByRole('button', { name: 'Allow', exact: true }).click();
  const at = await back;
  const answer = await (await fetch(issuer.token_endpoint, {
    method: 'POST', body: new URLSearchParams({
      grant_type: 'authorization_code', code: at.searchParams.get('code'), redirect_uri: loopback.redirect, code_verifier: verifier,
      client_id: registered.client_id, ...(registered.client_secret ? { client_secret: registered.client_secret } : {}),
    }),
  })).json();
  const client = new Client(server, registered.client_id, loopback.redirect);
  client.token = answer.access_token;
  return client;
}

// throughProvider presses the button of the link's page and goes on at the oidc
// app, which may ask who somebody is and whether they agree.
async function throughProvider(visitor, page, who, next) {
  await visitor.press(page, 'link', /^Go on/);
  const password = page.getByLabel('Password'), agree = page.getByRole('button', { name: 'Allow', exact: true });
  await password.or(agree).or(next).first().waitFor();
  if (await password.isVisible()) await logIn(page, who);
  await agree.or(next).first().waitFor();
  if (await agree.isVisible()) await agree.click();
  await next.waitFor();
}

export const links = {
  async 'a link in the middle of a call'({ chrome, link: server, loopback, users: [alice, bob] }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await fromProvider(page, server, loopback, alice);
    const asked = await client.call('nc_notes_search_notes', { query: '' });
    const address = asked.text.match(/https?:\/\/[^\s"\\]*\/oauth\/link\/[\w-]+/)?.[0];
    assert.ok(address, asked.text);

    const other = await chrome.visitor(), theirs = await other.tab();
    await theirs.goto(address);
    await throughProvider(other, theirs, bob, theirs.getByText('other_person').or(theirs.getByRole('heading', { level: 1 })).first());
    await other.look(theirs, 'failure-link-other-person');
    other.check();
    await other.close();

    await page.goto(address);
    await visitor.look(page, 'link');
    await throughProvider(visitor, page, alice, page.getByRole('link', { name: /^Open .* and sign in/ }));
    await visitor.look(page, 'link-waiting');
    await openNextcloud(visitor, page, alice);
    await page.getByText('Go back to the program').waitFor(); // nobody touched this tab
    await visitor.look(page, 'link-done');
    await client.works();
    assert.ok(visitor.clicks <= 2, `${visitor.clicks} clicks`);
    const again = await page.goto(address);
    assert.equal(again.status(), 410);

    visitor.check();
    await visitor.close();
  },

  async 'a link in German, on a phone'({ chrome, link: server, loopback, users: [alice] }) {
    const phone = await chrome.visitor({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, locale: 'de-AT', colorScheme: 'dark' }), page = await phone.tab();
    const client = await fromProvider(page, server, loopback, alice);
    const asked = await client.call('nc_notes_search_notes', { query: '' });
    await page.goto(asked.text.match(/https?:\/\/[^\s"\\]*\/oauth\/link\/[\w-]+/)[0]);
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await phone.look(page, 'german-link');
    phone.check();
    await phone.close();
  },
};
