// role: Kernel
using Ork.Kernel;
//# reports: a field of another module's class, by folder
//## src/Acme/Modules/Pumps/Pumps.cs
interface IPumps { int Count { get; } }
class Pumps : IPumps { public int Count => 1; }
//## src/Acme/Modules/Valves/Valves.cs
class Valves { readonly Pumps _pumps = null!; int Go() => _pumps.Count; }
//# reports: a parameter of another module's class, by namespace
namespace Acme.Modules.Pumps { interface IPumps { int Count { get; } } class Registry : IPumps { public int Count => 1; } }
namespace Acme.Modules.Valves { class Valves(Pumps.Registry pumps) { int Go() => pumps.Count; } }
//# reports: made by another module
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { } }
namespace Acme.Modules.Valves { class Valves { readonly Pumps.IPumps _pumps = new Pumps.Registry(); object Go() => _pumps; } }
//# reports: through an alias
using R = Acme.Modules.Pumps.Registry;
namespace Acme.Modules.Pumps { interface IPumps { int Count { get; } } class Registry : IPumps { public int Count => 1; } }
namespace Acme.Modules.Valves { class Valves { int Go(R pumps) => pumps.Count; } }
//# reports: as a base class
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { } }
namespace Acme.Modules.Valves { class Valves : Pumps.Registry { } }
//# reports: as an argument of a generic type
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { } }
namespace Acme.Modules.Valves { class Valves { List<Pumps.Registry> Go() => []; } }
//# reports: cast to
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { } }
namespace Acme.Modules.Valves { class Valves { object Go(Pumps.IPumps of) => (Pumps.Registry)of; } }
//# reports: a class without an interface that works with machines
namespace Acme.Modules.Pumps { class Mover(ModuleMachine<JobState, JobTrigger> machine) { internal string Name => machine.Name; } }
namespace Acme.Modules.Valves { class Valves(Pumps.Mover mover) { string Go() => mover.Name; } }
//# reports: a class that is handed ports
namespace Acme.Modules.Pumps { class Mover(IKernelObserver observer) { internal void Go() => observer.Note(KernelEvent.None, ""); } }
namespace Acme.Modules.Valves { class Valves { void Go(Pumps.Mover mover) => mover.Go(); } }
//# reports: in a lambda of a partial class
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { internal int Count; } }
namespace Acme.Modules.Valves { partial class Valves { } partial class Valves { Func<object, int> Go => of => of is Pumps.Registry { Count: var count } ? count : 0; } }
//# reports: another module's table
namespace Acme.Modules.Pumps { static class PumpMachine { internal static object Build() => new(); } }
namespace Acme.Modules.Valves { class Valves { object Go() => Pumps.PumpMachine.Build(); } }
//# reports: reached through the composition
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { internal int Count => 1; } }
namespace Acme { class Core { internal Modules.Pumps.Registry Pumps { get; } = new(); } }
namespace Acme.Modules.Valves { class Valves(Core core) { int Go() => core.Pumps.Count; } }
//# reports: in a variable without a type
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { internal int Count => 1; } }
namespace Acme { class Core { internal Modules.Pumps.Registry Pumps { get; } = new(); } }
namespace Acme.Modules.Valves { class Valves { int Go(Core core) { var pumps = core.Pumps; return pumps.Count; } } }
//# silent: its interface
namespace Acme.Modules.Pumps { interface IPumps { int Count { get; } } class Registry : IPumps { public int Count => 1; } }
namespace Acme.Modules.Valves { class Valves(Pumps.IPumps pumps) { int Go() => pumps.Count; } }
//# silent: a class of the same module
namespace Acme.Modules.Pumps { interface IPumps { int Count { get; } } class Registry : IPumps { public int Count => 1; } class Helper(Registry of) { int Go() => of.Count; } }
//# silent: another module's data
namespace Acme.Modules.Pumps { sealed class PumpEntry(string id) { internal string Id { get; } = id; } record PumpRow(string Id); enum PumpState { On } }
namespace Acme.Modules.Valves { class Valves { string Go(Pumps.PumpEntry pump, Pumps.PumpRow row) => pump.Id + row.Id + Pumps.PumpState.On; } }
//# silent: the composition, which is no module
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { } }
namespace Acme { class Core { readonly Modules.Pumps.Registry _pumps = new(); object Go() => _pumps; } }
//# silent: a class outside of modules
namespace Acme { class Clock(IKernelObserver observer) { internal void Go() => observer.Note(KernelEvent.None, ""); } }
namespace Acme.Modules.Valves { class Valves { void Go(Clock clock) => clock.Go(); } }
//# silent: by folder, its interface
//## src/Acme/Modules/Pumps/Pumps.cs
interface IPumps { int Count { get; } }
class Pumps : IPumps { public int Count => 1; }
//## src/Acme/Modules/Valves/Valves.cs
class Valves(IPumps pumps) { int Go() => pumps.Count; }
//# silent: a struct and a delegate of another module
namespace Acme.Modules.Pumps { readonly struct Pressure(int kPa) { internal int KPa { get; } = kPa; } delegate void Run(int of); }
namespace Acme.Modules.Valves { class Valves { int Go(Pumps.Pressure pressure, Pumps.Run run) { run(1); return pressure.KPa; } } }
//# silent: helpers without state
namespace Acme.Modules.Pumps { static class Units { internal static int Bar(int kPa) => kPa / 100; } }
namespace Acme.Modules.Valves { class Valves { int Go() => Pumps.Units.Bar(500); } }
//# silent Simulation: a simulation looks where it likes
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { } }
namespace Acme.Modules.Valves { class Valves { object Go() => new Pumps.Registry(); } }
//# silent: exceptions and attributes
namespace Acme.Modules.Pumps { class PumpException(string says) : Exception(says); }
namespace Acme.Modules.Valves { class Valves { void Go() => throw new Pumps.PumpException("x"); } }
//# silent: a framework interface
namespace Acme.Modules.Pumps { sealed class PumpKey(string id) : IEquatable<PumpKey> { public bool Equals(PumpKey? other) => other is not null && id == other.Id; string Id => id; } }
namespace Acme.Modules.Valves { class Valves { bool Go(Pumps.PumpKey a, Pumps.PumpKey b) => a.Equals(b); } }
//# reports: typeof and a constructor by target type
namespace Acme.Modules.Pumps { interface IPumps { } class Registry : IPumps { } }
namespace Acme.Modules.Valves { class Valves { Type Go() => typeof(Pumps.Registry); } }
