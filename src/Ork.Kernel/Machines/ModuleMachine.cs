using System.Runtime.CompilerServices;
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
/// in turn (flyweight). It is the only writer of their states. Its table has transitions only: what a transition leads to is done by the module.
/// </summary>
/// <typeparam name="TState">The states, numbered from 0 without gaps.</typeparam>
/// <typeparam name="TTrigger">The triggers, numbered from 0 without gaps.</typeparam>
public sealed class ModuleMachine<TState, TTrigger> : IMachineDefinition
    where TState : struct, Enum
    where TTrigger : struct, Enum
{
    private const int NotPermitted = -1;

    private static readonly int StateCount = CountOf<TState>();
    private static readonly int TriggerCount = CountOf<TTrigger>();

    private readonly StateMachine<TState, TTrigger> _machine;

    // What the machine said of each state and trigger, once asked: 0 for not asked yet, else the state entered plus one. A table has neither guards nor
    // actions, so it says the same every time, and asking costs some hundred times more than remembering.
    private readonly int[] _answers = new int[StateCount * TriggerCount];
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
        .. _machine.GetInfo().States
            .SelectMany(state => state.FixedTransitions, (state, transition) =>
                new MachineTransition($"{state.UnderlyingState}", $"{transition.Trigger.UnderlyingTrigger}", $"{transition.DestinationState.UnderlyingState}"))
            .OrderBy(row => row.From, StringComparer.Ordinal)
            .ThenBy(row => row.Trigger, StringComparer.Ordinal),
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
        ref var answer = ref _answers[(Unsafe.As<TState, int>(ref state) * TriggerCount) + Unsafe.As<TTrigger, int>(ref trigger)];
        if (answer == 0) answer = Ask(state, trigger);
        if (answer == NotPermitted) return Refuse(state, trigger, entity);
        var from = state;
        var entered = answer - 1;
        state = Unsafe.As<int, TState>(ref entered);
        _observer.Transition(this, entity, from, trigger, state);
        return true;
    }

    private int Ask(TState state, TTrigger trigger)
    {
        _current = state;
        if (!_machine.CanFire(trigger)) return NotPermitted;
        _machine.Fire(trigger);
        return Unsafe.As<TState, int>(ref _current) + 1;
    }

    // The answers are found by the values themselves, so these must be what an index is.
    private static int CountOf<T>()
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>();
        if (Enum.GetUnderlyingType(typeof(T)) != typeof(int) || Array.FindIndex(values, value => Array.IndexOf(values, value) != Unsafe.As<T, int>(ref value)) >= 0)
            throw new NotSupportedException($"{typeof(T).Name} is not numbered from 0 without gaps.");
        return values.Length;
    }

    private bool Refuse(TState state, TTrigger trigger, string entity)
    {
        _observer.Note(KernelEvent.IllegalTransition, entity, $"{Name}: {state} does not handle {trigger}");
        return _strict ? throw new InvalidOperationException($"{Name} of {entity}: {state} does not handle {trigger}.") : false;
    }
}
