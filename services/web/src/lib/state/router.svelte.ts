import { tick } from 'svelte';
import { formatAddress, parseAddress, type Address } from './address';
import { breadcrumbsAfter, type Breadcrumbs } from './breadcrumbs';

interface Entry {
  scroll?: number;
  /** A selector. */
  focus?: string | null;
  /** Set where this page opened the larger view itself, so that closing it may simply go back. */
  opened?: boolean;
  breadcrumbs?: Breadcrumbs;
}

/** The page is at one path; its parameters say the rest. */
const isPage = (): boolean => location.pathname === '/' || location.pathname === '/index.html';

/** The address bar as state: `address` follows it, `go` changes it, and Back finds scroll and focus again. */
class Router {
  address = $state.raw<Address>(parseAddress(location.search));
  /** Whether nothing is at this path. */
  notFound = $state.raw(!isPage());
  /** The way that led here; it is this tab's own, and no part of a link that is shared. */
  breadcrumbs = $state.raw<Breadcrumbs>((history.state as Entry | null)?.breadcrumbs ?? []);

  /** Whether this address was come to by Back, Forward or a reload, and not by going on. */
  traversed = true;
  /** Set where the last step was taken from a picture, which is gone from the page once its answer is there. */
  leftPicture = false;

  start(): () => void {
    history.scrollRestoration = 'manual';
    const back = () => void this.#restore();
    const leave = () => this.#remember();
    addEventListener('popstate', back);
    addEventListener('pagehide', leave);
    void this.#restore();
    return () => {
      removeEventListener('popstate', back);
      removeEventListener('pagehide', leave);
    };
  }

  go(address: Address, options: { replace?: boolean; keepScroll?: boolean; opened?: boolean } = {}): void {
    const breadcrumbs = breadcrumbsAfter(this.breadcrumbs, this.address.query, address.query);
    const entry: Entry = { breadcrumbs, ...(options.opened ? { opened: true } : {}) };
    if (options.replace) {
      history.replaceState({ ...this.#entry(), ...entry }, '', formatAddress(address));
    } else {
      this.#remember();
      history.pushState(entry, '', formatAddress(address));
    }
    this.leftPicture = Boolean(document.activeElement?.closest('[data-tile], [data-node], dialog'));
    this.traversed = false;
    this.breadcrumbs = breadcrumbs;
    this.address = address;
    this.notFound = false;
    if (!options.keepScroll) scrollTo({ top: 0, behavior: 'instant' });
  }

  /** Changes how the same thing is shown: tab, hidden clusters, sorting. Small steps replace, and leave no history. */
  show(change: Partial<Address>, options: { replace?: boolean } = {}): void {
    this.go({ ...this.address, ...change }, { keepScroll: true, ...options });
  }

  /** Opens or closes the larger view over whatever is searched for. */
  view(id: string | null): void {
    if (id === null && this.#entry().opened) {
      history.back();
    } else {
      const replace = id === null || this.address.view !== null;
      this.go({ ...this.address, view: id }, { replace, keepScroll: true, opened: !replace });
    }
  }

  #entry(): Entry {
    return (history.state as Entry | null) ?? {};
  }

  #remember(): void {
    const { tile, node } =
      document.activeElement?.closest<HTMLElement>('[data-tile], [data-node]')?.dataset ?? {};
    const focus = tile
      ? `[data-tile="${CSS.escape(tile)}"]`
      : node
        ? `[data-node="${CSS.escape(node)}"]`
        : null;
    const entry: Entry = { ...this.#entry(), scroll: scrollY, focus };
    history.replaceState(entry, '');
  }

  async #restore(): Promise<void> {
    const before = formatAddress({ ...this.address, view: null });
    this.traversed = true;
    this.address = parseAddress(location.search);
    this.notFound = !isPage();
    this.breadcrumbs = this.#entry().breadcrumbs ?? [];
    const same = formatAddress({ ...this.address, view: null }) === before;
    await tick();
    const { scroll, focus } = this.#entry();
    // Closing the larger view hands focus back by itself, and must not move the page.
    if (same && scroll === undefined) return;
    if (scroll !== undefined) scrollTo({ top: scroll, behavior: 'instant' });
    if (focus && !this.address.view) {
      document.querySelector<HTMLElement>(focus)?.focus({ preventScroll: true });
    }
  }
}

export const router = new Router();

/** For links within the page: a plain click changes the address, any other one is the browser's. */
export function follow(address: Address): (event: MouseEvent) => void {
  return (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    router.go(address);
  };
}
