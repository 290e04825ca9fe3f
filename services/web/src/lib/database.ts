import type { DatabaseState } from './api/types';
import { count, plural } from './format';

/** How many of the database's nodes answer. */
export function nodesText({ nodes, nodes_alive }: DatabaseState): string {
  return `${count(nodes_alive)} of ${plural(nodes, 'node answers', 'nodes answer')}`;
}

/** How many copies of the database's parts answer, and how many are being made. */
export function copiesText({ copies_alive, copies_wanted, transfers }: DatabaseState): string {
  const said = `${count(copies_alive)} of ${plural(copies_wanted, 'copy', 'copies')} answer`;
  return transfers > 0 ? `${said}, ${count(transfers)} being made` : said;
}
