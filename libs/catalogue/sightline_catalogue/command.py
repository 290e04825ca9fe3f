"""The command `sightline-catalogue`: the state of the database's nodes, and their repair."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table
from sightline_service import load_settings

from sightline_catalogue.cluster import ClusterState, Replica
from sightline_catalogue.cluster_plan import Plan, RemovePeer, plan_rebalance, plan_repair, words
from sightline_catalogue.cluster_reader import ClusterReader
from sightline_catalogue.cluster_repair import ClusterRepair, RepairFailed
from sightline_catalogue.connection import Connection
from sightline_catalogue.errors import CatalogueError
from sightline_catalogue.rest import RestClient
from sightline_catalogue.settings import CatalogueSettings

app = typer.Typer(
    name="sightline-catalogue",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The nodes of Sightline's database. Settings are the variables QDRANT_*. Exit codes: 0 all is well or done, "
    "1 failed, 2 wrong usage or setting, 3 there is something to do.",
)
console = Console(highlight=False, soft_wrap=True)
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only said.")]


class Exit(IntEnum):
    """Exit codes; 2 is that of a wrong option or setting."""

    OK = 0
    FAILED = 1
    TO_DO = 3


@app.command()
def status() -> None:
    """Show the nodes, the shards with their copies, and what is wrong."""
    with _reader() as (reader, _):
        state = reader.read()
    _show(state)
    raise typer.Exit(Exit.TO_DO if state.summary() or state.problem else Exit.OK)


@app.command()
def repair(
    yes: Yes = False,
    give_up_shards: Annotated[
        bool, typer.Option(help="Remove a lost node even where it has the only copies of some shards.")
    ] = False,
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Wait for so many nodes before copying [default: as many as there were]")
    ] = None,
    join_seconds: Annotated[float, typer.Option(min=0, help="How long to wait for a node to join.")] = 300,
) -> None:
    """Remove nodes that lost their disks, and make every copy that is missing.

    May be stopped and run again at any time: it goes on with what is left.
    """

    def plan(state: ClusterState) -> Plan:
        return plan_repair(state, give_up_shards=give_up_shards)

    _carry_out(plan, "repair", yes=yes, nodes=nodes, join_seconds=join_seconds)


@app.command()
def rebalance(yes: Yes = False) -> None:
    """Move copies until every node has its share, as after adding a node.

    No shard ever has fewer copies meanwhile. May be stopped and run again at any time.
    """
    _carry_out(plan_rebalance, "rebalance", yes=yes, nodes=None, join_seconds=0)


def _carry_out(
    plan: Callable[[ClusterState], Plan], command: str, *, yes: bool, nodes: int | None, join_seconds: float
) -> None:
    with _reader() as (reader, rest):
        state = reader.read()
        if not state.distributed:
            raise CatalogueError(
                "This is one server and no cluster: there are no copies to make. After a lost disk restore a snapshot, "
                "or let everything be indexed anew."
            )
        if state.problem:
            raise CatalogueError(f"Which nodes answer is not known: {state.problem}.")
        planned = plan(state)
        _explain(planned, state, nodes)
        if planned.steps and not yes:
            console.print(f"\nNothing was changed. To do it: sightline-catalogue {command} --yes")
            raise typer.Exit(Exit.TO_DO)
        if planned.steps or state.transfers:
            state = ClusterRepair(reader.read, rest, _say, join_seconds, nodes).run(plan)
            planned = plan(state)
    for refusal in planned.refused:
        console.print(f"Not done: {refusal}", style="yellow")
    if planned.refused:
        raise typer.Exit(Exit.FAILED)
    if state.outsiders:
        raise typer.Exit(Exit.TO_DO)
    console.print(f"Done: {_counts(state)}." if not state.summary() else state.summary())


def _explain(plan: Plan, state: ClusterState, nodes: int | None) -> None:
    """Print a plan, and what a person should know of it."""
    for node in state.dead:
        console.print(
            f"{node.address} does not answer ({node.reason}). If it only stands still, start it, and it catches up by "
            "itself; to remove it is for a node whose disk is lost, which restarts again and again.",
        )
    for host in state.outsiders:
        console.print(
            f"{host} runs outside of the cluster, alone: it has started with an empty disk without joining, or it was "
            "removed. Stop it, empty its disk, and start it with --bootstrap and the address of another node.",
            style="yellow",
        )
    removed = sum(isinstance(step, RemovePeer) for step in plan.steps)
    # Where copies are made is planned again once a node has joined.
    target = "the node that has the fewest" if removed and (nodes or len(state.nodes)) > len(state.living) else ""
    for number, step in enumerate(plan.steps, 1):
        if target and number == removed + 1:
            console.print("     Wait until the removed node has joined again, with an empty disk.")
        console.print(f"{number:3}. {words(step, state, target)}")
    if not plan.steps and not plan.refused:
        console.print("There is nothing to do." if not state.transfers else "Nothing but what is under way.")


def _show(state: ClusterState) -> None:
    nodes = _table("node", "peer id", "state")
    for node in state.nodes:
        leads = ", leads" if node.id == state.leader_id else ""
        told = f"answers{leads}" if node.alive else f"[red]does not answer[/red]: {node.reason}"
        nodes.add_row(node.address, str(node.id), told)
    for host in state.outsiders:
        nodes.add_row(host, "", "[red]runs outside of the cluster[/red]")
    console.print(nodes)
    shards = _table("collection", "shard", "copies", "on")
    for shard in state.shards:
        alive = len(state.living_replicas(shard))
        colour = "green" if alive >= shard.copies_wanted else "yellow" if alive else "red"
        places = ", ".join(
            state.name(one.node_id) + ("" if one in state.living_replicas(shard) else f" ({_why_not(one, state)})")
            for one in shard.replicas
        )
        copies = f"[{colour}]{alive} of {shard.copies_wanted}[/{colour}]"
        shards.add_row(shard.collection, str(shard.id), copies, places or "none")
    if state.shards:
        console.print()
        console.print(shards)
    for one in state.transfers:
        verb = "moves" if one.is_move else "is copied"
        console.print(
            f"\nShard {one.shard_id} of {one.collection} {verb} from {state.name(one.from_id)} "
            f"to {state.name(one.to_id)}."
        )
    console.print(f"\n{_counts(state)}.")
    if state.problem:
        console.print(f"Which nodes answer is not known: {state.problem}.", style="yellow")
    elif state.summary():
        console.print(state.summary(), style="yellow")
        console.print("What to do: sightline-catalogue repair")


def _table(*columns: str) -> Table:
    return Table(*(Column(name, overflow="fold") for name in columns), box=None, pad_edge=False)


def _why_not(replica: Replica, state: ClusterState) -> str:
    node = state.node(replica.node_id)
    return "does not answer" if node is None or not node.alive else replica.state.lower()


def _counts(state: ClusterState) -> str:
    moving = f", {len(state.transfers)} being made" if state.transfers else ""
    return (
        f"{len(state.living)} of {len(state.nodes)} nodes answer, {len(state.shards)} shards, "
        f"{state.copies_alive} of {state.copies_wanted} copies{moving}"
    )


def _say(line: str) -> None:
    console.print(f"{time.strftime('%H:%M:%S')} {line}")


@contextmanager
def _reader() -> Iterator[tuple[ClusterReader, RestClient]]:
    """Open the connections; say errors as one line, and exit."""
    settings = load_settings(CatalogueSettings)
    connection, rest = Connection(settings), RestClient(settings)
    try:
        yield ClusterReader(connection, settings), rest
    except RepairFailed as error:
        console.print(f"Stopped: {error}. What was done stays done; run it again to go on.", style="red")
        raise typer.Exit(Exit.FAILED) from error
    except CatalogueError as error:
        console.print(str(error), style="red")
        raise typer.Exit(Exit.FAILED) from error
    except KeyboardInterrupt:
        console.print("Stopped. Transfers that have begun go on; run it again to go on from there.")
        raise typer.Exit(Exit.FAILED) from None
    finally:
        connection.close()
        rest.close()


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
