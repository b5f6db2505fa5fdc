// role: Kernel
using Ork.Kernel;
using Stateless;
enum S { A, B, C }
enum T { Go, Back, End }
//# reports: a trigger that nobody handles
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C); } }
//# reports: a state that nothing leaves
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B).Permit(T.End, S.C); m.Configure(S.B).Permit(T.Back, S.A); } }
//# reports: a state that is configured and not left
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B).Permit(T.End, S.C); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C).OnEntry(() => { }); } }
//# reports: a state that only ignores
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B).Permit(T.End, S.C); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C).Ignore(T.Go); } }
//# reports: a state that only comes back to itself
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B).Permit(T.End, S.C); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C).PermitReentry(T.Go); } }
//# reports x2: a trigger and a state
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B); m.Configure(S.B).Permit(T.Back, S.A); } }
//# reports: in a kernel machine's table
static class PumpMachine { internal static ModuleMachine<S, T> Build(IKernelObserver observer) => new("pump", machine => { machine.Configure(S.A).Permit(T.Go, S.B); machine.Configure(S.B).Permit(T.Back, S.A); machine.Configure(S.C); }, observer, true); }
//# reports: the configuration in a variable
class M { void Go(StateMachine<S, T> m) { var a = m.Configure(S.A); a.Permit(T.Go, S.B); var b = m.Configure(S.B); b.Permit(T.Back, S.A); m.Configure(S.C); } }
//# reports: in a helper method that is handed the configuration
class M { void Go(StateMachine<S, T> m) { Leave(m.Configure(S.A)); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C); } static void Leave(StateMachine<S, T>.StateConfiguration of) => of.Permit(T.Go, S.B); }
//# reports: in several methods of a partial class, through an alias
using Machine = Stateless.StateMachine<S, T>;
partial class M { void One(Machine m) => m.Configure(S.A).Permit(T.Go, S.B); }
partial class M { void Two(Machine m) { m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C); } }
//# reports: a state in a super state that is not left either
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B).Permit(T.Back, S.B).Permit(T.End, S.C); m.Configure(S.B).SubstateOf(S.C); m.Configure(S.C); } }
//# reports: by using static, in a loop over an array
using static S;
class M { void Go(StateMachine<S, T> m) { foreach (var state in new[] { A, B }) m.Configure(state).Permit(T.Go, C); m.Configure(C).Permit(T.Back, A); } }
//# silent: a full table
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B); m.Configure(S.B).Permit(T.Back, S.A).Permit(T.End, S.C); m.Configure(S.C); } }
//# silent: a state declared terminal
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B).Permit(T.End, S.C); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C); m.Configure(S.C).Ignore(T.Go); } }
//# silent: a state declared terminal by attribute
enum P { On, [Ork.OrkTerminal] Off }
enum Q { Stop }
class M { void Go(StateMachine<P, Q> m) { m.Configure(P.On).Permit(Q.Stop, P.Off); m.Configure(P.Off).OnEntry(() => { }); } }
//# silent: a trigger that is ignored
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B).Ignore(T.End); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C); } }
//# silent: a conditional transition
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).PermitIf(T.Go, S.B, () => true); m.Configure(S.B).PermitDynamic(T.Back, () => S.A); m.Configure(S.C).InternalTransition(T.End, () => { }).Permit(T.Go, S.A); } }
//# silent: left by its super state
class M { void Go(StateMachine<S, T> m) { m.Configure(S.A).Permit(T.Go, S.B); m.Configure(S.B).SubstateOf(S.C); m.Configure(S.C).Permit(T.Back, S.A).Permit(T.End, S.A); } }
//# silent: a trigger with parameters
class M { void Go(StateMachine<S, T> m) { var end = m.SetTriggerParameters<string>(T.End); m.Configure(S.A).Permit(T.Go, S.B); m.Configure(S.B).Permit(T.Back, S.A).PermitDynamic(end, _ => S.C); m.Configure(S.C); } }
//# silent: a table that cannot be read in full
class M { void Go(StateMachine<S, T> m, IEnumerable<(S From, T By, S To)> rows) { foreach (var (from, by, to) in rows) m.Configure(from).Permit(by, to); } }
//# silent: states in a loop
class M { void Go(StateMachine<S, T> m) { foreach (var state in new[] { S.A, S.B }) m.Configure(state).Permit(T.End, S.C); m.Configure(S.A).Permit(T.Go, S.B); m.Configure(S.B).Permit(T.Back, S.A); m.Configure(S.C); } }
//# silent: all states in a loop
class M { void Go(StateMachine<S, T> m) { foreach (var state in Enum.GetValues<S>()) m.Configure(state).PermitIf(T.Go, S.B).Ignore(T.Back).Ignore(T.End); } }
//# silent: helpers that complete the table
class M { void Go(StateMachine<S, T> m) { Leave(m.Configure(S.A)); Leave(m.Configure(S.B)).Permit(T.Back, S.A); m.Configure(S.C).Permit(T.Go, S.A); } static StateMachine<S, T>.StateConfiguration Leave(StateMachine<S, T>.StateConfiguration of) => of.Permit(T.End, S.C); }
//# silent: a machine that is only fired
class M { void Go(StateMachine<S, T> m) => m.Fire(T.Go); }
//# silent: states that are text
class M { void Go(StateMachine<string, string> m) { m.Configure("a").Permit("go", "b"); } }
//# silent Caller: not a kernel's machine
class M { void Go(StateMachine<S, T> m) => m.Configure(S.A).Permit(T.Go, S.B); }
//# reports: a machine of its own class
class M : StateMachine<S, T> { internal M() : base(S.A) { Configure(S.A).Permit(T.Go, S.B); Configure(S.B).Permit(T.Back, S.A); Configure(S.C); } }
//# silent: a machine of its own class, in full
class M : StateMachine<S, T> { internal M() : base(S.A) { Configure(S.A).Permit(T.Go, S.B).PermitIf(T.End, S.C, () => true); Configure(S.B).Permit(T.Back, S.A); Configure(S.C); } }
//# silent: configured by a local function and a lambda
class M { void Go(StateMachine<S, T> m) { Part(S.A, of => of.Permit(T.Go, S.B)); Part(S.B, of => of.Permit(T.Back, S.A).Permit(T.End, S.C)); m.Configure(S.C); void Part(S state, Action<StateMachine<S, T>.StateConfiguration> how) => how(m.Configure(state)); } }
