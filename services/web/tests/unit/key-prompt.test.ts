import { describe, expect, it, vi } from 'vitest';
import { client } from '../../src/lib/api/client';
import { setKeyPrompt, withKey } from '../../src/lib/api/key-prompt';

const answers = (...statuses: number[]) => {
  const left = [...statuses];
  return vi.fn(() => Promise.resolve(new Response(null, { status: left.shift() ?? 500 })));
};

describe('a call that needs a key', () => {
  it('is made again once there is one', async () => {
    const prompt = vi.fn(() => Promise.resolve(true));
    setKeyPrompt(prompt);
    const send = answers(401, 200);
    expect((await withKey('change', send)).status).toBe(200);
    expect(send).toHaveBeenCalledTimes(2);
    expect(prompt).toHaveBeenCalledExactlyOnceWith('change');
  });

  it('fails as it would have where the person gives none', async () => {
    setKeyPrompt(() => Promise.resolve(false));
    const send = answers(401, 200);
    expect((await withKey('read', send)).status).toBe(401);
    expect(send).toHaveBeenCalledTimes(1);
  });

  it('asks nobody for anything else', async () => {
    const prompt = vi.fn(() => Promise.resolve(true));
    setKeyPrompt(prompt);
    for (const status of [200, 403, 404, 503]) {
      expect((await withKey('read', answers(status, 200))).status).toBe(status);
    }
    expect(prompt).not.toHaveBeenCalled();
  });
});

describe('the client', () => {
  const asked: string[] = [];

  async function call(make: () => Promise<unknown>): Promise<{ bodies: string[]; asked: string[] }> {
    asked.length = 0;
    setKeyPrompt((need) => (asked.push(need), Promise.resolve(true)));
    const bodies: string[] = [];
    vi.stubGlobal('location', { origin: 'http://page' });
    vi.stubGlobal('fetch', async (request: Request) => {
      bodies.push(await request.text());
      return Response.json({}, { status: bodies.length === 1 ? 401 : 200 });
    });
    await make();
    vi.unstubAllGlobals();
    return { bodies, asked };
  }

  it('sends the same body again, and knows reading from changing', async () => {
    const baseUrl = 'http://page';
    expect(await call(() => client.POST('/api/v1/ingest/rescan', { baseUrl, body: {} }))).toEqual({
      bodies: ['{}', '{}'],
      asked: ['change'],
    });
    expect((await call(() => client.GET('/api/v1/stats', { baseUrl }))).asked).toEqual(['read']);
    const body = { q: 'a cat' } as never;
    expect((await call(() => client.POST('/api/v1/search', { baseUrl, body }))).asked).toEqual(['read']);
  });

  it('asks for no key while one is being tried', async () => {
    const body = { key: 'wrong', remember: false };
    const { asked } = await call(() => client.POST('/api/v1/session', { baseUrl: 'http://page', body }));
    expect(asked).toEqual([]);
  });
});
