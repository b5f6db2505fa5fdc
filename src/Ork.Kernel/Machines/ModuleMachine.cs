using Stateless;
using Stateless.Graph;

namespace Ork.Kernel;

/// <summary>One row of a machine's table.</summary>
/// <param name="From">The state left.</param>
/// <param name="Trigger">What happened.</param>
/// <param name="To">The state entered.</param>
public sealed record MachineTransition(string From, string Trigger, string To);

/// <summary>What tools need of any machine: its name, table and diagram.</summary>
public interface IMachineDefinition
{
    /// <summary>The machine's name, as in reports.</summary>
    string Name { get; }

    /// <summary>Every transition the machine allows.</summary>
    IReadOnlyList<MachineTransition> Transitions { get; }

    /// <summary>The machine as a Mermaid state diagram.</summary>
    string ToMermaid();
}

/// <summary>
/// A module's state machine: one Stateless definition with external state, configured once and lent to each of the module's entities
/// in turn (flyweight). It is the only writer of their states.
/// </summary>
/// <typeparam name="TState">The states.</typeparam>
/// <typeparam name="TTrigger">The triggers.</typeparam>
public sealed class ModuleMachine<TState, TTrigger> : IMachineDefinition
    where TState : struct, Enum
    where TTrigger : struct, Enum
{
    private readonly StateMachine<TState, TTrigger> _machine;
    private readonly IKernelObserver _observer;
    private readonly bool _strict;
    private TState _current;

    /// <summary>Configures the machine.</summary>
    /// <param name="name">The machine's name, as in reports.</param>
    /// <param name="configure">The table.</param>
    /// <param name="observer">Hears of every transition and of every trigger that no state handles.</param>
    /// <param name="strict">True: an unhandled trigger throws. False: it is reported and ignored.</param>
    public ModuleMachine(string name, Action<StateMachine<TState, TTrigger>> configure, IKernelObserver observer, bool strict)
    {
        ArgumentNullException.ThrowIfNull(configure);
        Name = name;
        _observer = observer;
        _strict = strict;
        _machine = new StateMachine<TState, TTrigger>(() => _current, state => _current = state);
        configure(_machine);
        _machine.OnUnhandledTrigger((_, _) => { });
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public IReadOnlyList<MachineTransition> Transitions =>
    [
        .. from state in _machine.GetInfo().States
           from transition in state.FixedTransitions
           let row = new MachineTransition($"{state.UnderlyingState}", $"{transition.Trigger.UnderlyingTrigger}", $"{transition.DestinationState.UnderlyingState}")
           orderby row.From, row.Trigger
           select row,
    ];

    /// <inheritdoc/>
    public string ToMermaid() => MermaidGraph.Format(_machine.GetInfo(), MermaidGraphDirection.LeftToRight).ReplaceLineEndings("\n").Trim();

    /// <summary>Fires a trigger for one entity.</summary>
    /// <param name="state">The entity's state; written only if the table has the transition.</param>
    /// <param name="trigger">What happened.</param>
    /// <param name="entity">The entity's name, for the observer.</param>
    /// <returns>True if the transition was made; false if the state does not handle the trigger.</returns>
    /// <exception cref="InvalidOperationException">The state does not handle the trigger, in strict mode.</exception>
    public bool Fire(ref TState state, TTrigger trigger, string entity)
    {
        _current = state;
        if (!_machine.CanFire(trigger)) return Refuse(state, trigger, entity);
        _machine.Fire(trigger);
        var from = state;
        state = _current;
        _observer.Transition(this, entity, from, trigger, state);
        return true;
    }

    private bool Refuse(TState state, TTrigger trigger, string entity)
    {
        _observer.Note(KernelEvent.IllegalTransition, entity, $"{Name}: {state} does not handle {trigger}");
        return _strict ? throw new InvalidOperationException($"{Name} of {entity}: {state} does not handle {trigger}.") : false;
    }
}
