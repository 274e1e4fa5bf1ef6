// Pages that need nobody to sign in: the first page and the refusals.
import { strict as assert } from 'node:assert';
import { Client } from './client.mjs';

export const plain = {
  async 'first page'({ chrome, oidc }) {
    const visitor = await chrome.visitor({ permissions: ['clipboard-read', 'clipboard-write'] }), page = await visitor.tab();
    await page.goto(`${oidc}/`);
    await visitor.look(page, 'landing');
    await page.getByRole('button', { name: 'Copy' }).first().click();
    await page.getByText('Copied').first().waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${oidc}/mcp`);
    for (const one of await page.locator('summary').all()) await one.click();
    await visitor.look(page, 'landing-open');
    visitor.check();
    await visitor.close();

    const german = await chrome.visitor({ locale: 'de-DE' }), seite = await german.tab();
    await seite.goto(`${oidc}/`);
    assert.equal(await seite.locator('html').getAttribute('lang'), 'de');
    await german.look(seite, 'german-landing');
    german.check();
    await german.close();

    const scriptless = await chrome.visitor({ javaScriptEnabled: false }), still = await scriptless.tab();
    await still.goto(`${oidc}/`);
    assert.equal(await still.locator('button:visible').count(), 0, 'a button that needs the script');
    scriptless.check();
    await scriptless.close();
  },

  async 'refusals'({ chrome, oidc, flow, loopback }) {
    const visitor = await chrome.visitor(), page = await visitor.tab();
    const client = await Client.register(flow, 'Refused', loopback.redirect);
    const request = new URL(client.begin('notes.read'));
    const changed = (name, value) => { const u = new URL(request); u.searchParams.set(name, value); return u.href; };
    for (const [name, address, status] of [
      ['unknown-client', changed('client_id', 'nobody'), 400],
      ['bad-redirect', changed('redirect_uri', 'https://evil.example/'), 400],
      ['flow-gone', `${flow}/oauth/connect/nothing`, 410],
      ['not-found', `${oidc}/account/nothing`, 404],
      ['forged-callback', `${oidc}/oauth/callback?code=x&state=y`, 410],
    ]) {
      const r = await page.goto(address);
      assert.equal(r.status(), status, name);
      assert.equal(new URL(page.url()).origin, new URL(address).origin, `${name} leads away`);
      await visitor.look(page, `failure-${name}`);
    }
    visitor.check();
    await visitor.close();
  },
};
