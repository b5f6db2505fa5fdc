// role: Kernel
using Ork.Kernel;
using Stateless;
enum S { A, B }
enum T { Go, Back }
sealed class Pump { internal S State; internal S Shown { get; set; } }
//# reports: a field set
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); void Force(Pump pump) => pump.State = S.B; }
//# reports: in a lambda in a lambda
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); Func<Action<Pump>> Force => () => pump => pump.State = S.B; }
//# reports: by deconstruction
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); void Swap(Pump a, Pump b) => (a.State, _) = (b.State, 0); }
//# reports: by a ref local
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); void Force(Pump pump) { ref var state = ref pump.State; state = S.B; } }
//# reports: by a helper that takes a reference
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) { machine.Fire(ref pump.State, T.Go, "p"); Set(ref pump.State); } static void Set(ref S state) => state = S.B; }
//# reports: an element of an array
class C(ModuleMachine<S, T> machine) { readonly S[] _states = new S[4]; void Go(int at) => machine.Fire(ref _states[at], T.Go, "p"); void Force(int at) => _states[at] = S.B; }
//# reports: a step
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); void Force(Pump pump) => pump.State++; }
//# reports: a Stateless machine's own field
class C { S _state; readonly StateMachine<S, T> _machine; C() => _machine = new(() => _state, state => _state = state); void Go() => _machine.Fire(T.Go); void Force() => _state = S.B; }
//# reports: in another class, in a partial one
class M(ModuleMachine<S, T> machine) { internal void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); }
partial class C { void Force(Pump pump) { if (pump.State == S.A) pump.State = S.B; } }
//# reports: by Unsafe or Interlocked
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); S Force(Pump pump) => Interlocked.Exchange(ref pump.State, S.B); }
//# reports: a property that holds the state, where no place is known
record struct Job { internal S State { get; set; } }
class C { readonly ModuleMachine<S, T>? _machine = null; Job _job; void Force() => _job.State = S.B; string? Name => _machine?.Name; }
//# reports: a state of the kernel's own machines
class C { void Force(WorkerEntry worker) => worker.State = WorkerState.Ready; }
//# silent: fired
class C(ModuleMachine<S, T> machine) { bool Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); }
//# silent: the first state, in an initializer
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); Pump Load(S stored) => new() { State = stored }; }
//# silent: the first state, in a constructor
sealed class Valve { internal S State; internal Valve(S first) => State = first; }
class C(ModuleMachine<S, T> machine) { void Go(Valve valve) => machine.Fire(ref valve.State, T.Go, "v"); }
//# silent: read and compared
class C(ModuleMachine<S, T> machine) { bool Go(Pump pump) { var before = pump.State; before = S.A; return before == pump.State && machine.Name != ""; } }
//# silent: what is shown of it
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) { machine.Fire(ref pump.State, T.Go, "p"); pump.Shown = pump.State; } }
//# silent: an enum of no machine
enum Mode { Slow, Fast }
class C { Mode _mode; void Go() => _mode = Mode.Fast; }
//# silent: the accessor of a Stateless machine
class C { S _state; readonly StateMachine<S, T> _machine; C() => _machine = new(() => _state, state => _state = state); void Go() => _machine.Fire(T.Go); }
//# silent: a local state for a request that lives for one call
class C(ModuleMachine<S, T> machine) { void Go() { var state = S.A; machine.Fire(ref state, T.Go, "p"); } }
//# silent: a copy in a record of what is stored
record Row(S State);
class C(ModuleMachine<S, T> machine) { Row Go(Pump pump) { machine.Fire(ref pump.State, T.Go, "p"); return new Row(pump.State); } }
//# silent: a field initializer
sealed class Valve { internal S State = S.B; }
class C(ModuleMachine<S, T> machine) { void Go(Valve valve) => machine.Fire(ref valve.State, T.Go, "v"); }
//# silent Simulation: a test of a simulation sets what it likes
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) { machine.Fire(ref pump.State, T.Go, "p"); pump.State = S.B; } }
//# silent: another property of the same object
class C(ModuleMachine<S, T> machine) { int _count; void Go(Pump pump) { machine.Fire(ref pump.State, T.Go, "p"); _count = (int)pump.State; } }
//# reports: in the entity itself, by an expression body
class Tank { internal S State; internal void Reset() => State = S.A; }
class C(ModuleMachine<S, T> machine) { void Go(Tank tank) => machine.Fire(ref tank.State, T.Go, "t"); }
//# reports: by a generic helper with an out argument
class C(ModuleMachine<S, T> machine) { void Go(Pump pump) => machine.Fire(ref pump.State, T.Go, "p"); bool Force(Pump pump, string text) => Enum.TryParse(text, out pump.State); }
