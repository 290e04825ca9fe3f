import { startFixture } from '../../services/web/tests/fixture/server.mjs';

/** Tests run against PAGE_URL, a running Sightline; where that is not set, against the page's own fixture. */
export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.PAGE_URL) return undefined;
  const fixture = await startFixture();
  process.env.PAGE_URL = fixture.url;
  return fixture.close;
}
