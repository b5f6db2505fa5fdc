using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>The kernel's log in a simulated world: notes which situations and transitions were met.</summary>
internal sealed class SimObserver(SimWorld world, SimNode node) : IKernelObserver
{
    /// <inheritdoc/>
    public void Transition<TState, TTrigger>(ModuleMachine<TState, TTrigger> machine, string entity, TState from, TTrigger trigger, TState to)
        where TState : struct, Enum
        where TTrigger : struct, Enum
    {
        var cell = world.Coverage.Met(machine.Name, from, trigger, to);
        world.Met((ulong)node.Id, (ulong)cell);
        world.Situations?.Moved(machine.Name, entity, cell, Coverage.NumberOf(from), Coverage.NumberOf(to));
        if (!world.Hears(SimEventKind.Transition)) return;
        world.Emit(new SimEvent { Kind = SimEventKind.Transition, Node = node, Subject = entity, Detail = $"{machine.Name}: {from} {trigger} {to}" });
    }

    /// <inheritdoc/>
    public void Note(KernelEvent what, string subject, string? detail = null)
    {
        world.Coverage.Met(what);
        world.Situations?.Noted(what);
        if (what == KernelEvent.ShellFailed) world.NodeFailed(node, detail ?? subject);
        world.Facts.Noted(node, what, subject);
        world.Emit(new SimEvent { Kind = SimEventKind.Note, Node = node, Note = what, Correlation = (ulong)what, Subject = subject, Detail = detail });
    }

    /// <inheritdoc/>
    public void Settled(in CommandRow command)
    {
    }

    /// <inheritdoc/>
    public void Committed(int records, TimeSpan elapsed)
    {
    }

    /// <inheritdoc/>
    public void Exchanged(OrkAction action, string workerId, long elapsedMs, ErrorCode? error)
    {
    }
}
