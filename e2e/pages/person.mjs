// What a person does: at Nextcloud, and on our pages on the way there and back.
import { strict as assert } from 'node:assert';

// logIn fills in Nextcloud's login form.
export async function logIn(page, who) {
  await page.getByLabel('Account name or email').fill(who.user);
  await page.getByLabel('Password').fill(who.password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

// grantAccess goes through Login Flow v2 in the tab that our page opened.
export async function grantAccess(tab, who) {
  await tab.getByRole('button', { name: 'Log in' }).click();
  await tab.getByRole('button', { name: 'Grant access' }).or(tab.getByLabel('Password')).first().waitFor();
  if (await tab.getByLabel('Password').isVisible()) await logIn(tab, who);
  await tab.getByRole('button', { name: 'Grant access' }).click();
  await tab.getByText('Your client should now be connected').waitFor();
}

// openNextcloud presses the button of the waiting page and grants access in the
// new tab, which knows nothing of ours.
export async function openNextcloud(visitor, page, who) {
  const opened = visitor.context.waitForEvent('page');
  await visitor.press(page, 'link', /^Open .* and sign in/);
  const tab = await opened;
  assert.ok(await tab.evaluate(() => window.opener === null), "the new tab knows our page");
  await grantAccess(tab, who);
  await tab.close();
}

// byProvider signs in at Nextcloud's oidc app.
export async function byProvider(page, who) {
  await logIn(page, who);
  await page.getByRole('button', { name: 'Allow' }).or(page.getByRole('heading', { name: 'Let ' })).first().waitFor();
  if (!await page.getByRole('heading', { name: 'Let ' }).isVisible()) await page.getByRole('button', { name: 'Allow', exact: true }).click();
  await page.getByRole('heading', { name: /^Let .* work in your Nextcloud/ }).waitFor();
}

// consentPage waits for the question.
export async function consentPage(page) {
  await page.getByRole('heading', { level: 1, name: /^Let .* work in your Nextcloud/ }).waitFor();
}

// allow says yes, and answers where the browser came back to the client.
export async function allow(visitor, page, client, loopback) {
  const back = loopback.arrived(client.state);
  await visitor.press(page, 'button', 'Allow');
  const at = await back;
  assert.equal(at.searchParams.get('error'), null, String(at));
  if (client.redirect.startsWith('http:')) await page.waitForURL(`${client.redirect}?*`);
  return client.redeem(at);
}

// connect is a whole sign-in by Login Flow v2.
export async function connect(visitor, page, client, scope, who, loopback) {
  await page.goto(client.begin(scope));
  const asks = page.getByRole('heading', { level: 1, name: /^Let / });
  await page.getByRole('link', { name: /^Open / }).or(asks).first().waitFor();
  if (!await asks.isVisible()) await openNextcloud(visitor, page, who);
  await consentPage(page);
  return allow(visitor, page, client, loopback);
}
