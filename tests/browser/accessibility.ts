/** What axe has against a view. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/** The rules whose outcome the colours can change. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

/** Returns the serious and critical violations of a page: of every rule in light colours, of colours' rules in dark ones. */
export async function graveViolations(page: Page): Promise<string[]> {
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const light = await new AxeBuilder({ page }).analyze();
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  // The new colours are there a frame later, and where they change by a transition once that has ended.
  await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
  });
  const dark = await new AxeBuilder({ page }).withRules(OF_COLOURS).analyze();
  const told = (colours: string, { violations }: typeof light): string[] =>
    violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}, ${colours}: ${nodes.map((node) => node.html).join(' | ')}`);
  return [...told('light', light), ...told('dark', dark)];
}
