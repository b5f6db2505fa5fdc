// role: Kernel
//# reports: a field of a simulated type
class C { readonly OrkSim.SimWorld? _world = null; }
//# reports: made
class C { object Go() => new OrkSim.SimEntropy(1); }
//# reports x2: through an alias
using Chance = OrkSim.SimEntropy;
class C { object Go() => new Chance(1); }
//# reports x2: by using static
using static OrkSim.SimDefaults;
class C { TimeSpan Go() => RecoveryBound; }
//# reports: as an argument of a generic type, in a namespace import
using OrkSim;
class C { List<SimEntropy> Go() => []; }
//# reports Worker: in a nested lambda
class C { Func<Func<object>> Go = () => () => typeof(OrkSim.SimWorld); }
//# reports Caller: as a base type, in a partial declaration
partial interface IMine : OrkSim.IInvariant { }
partial interface IMine { int More { get; } }
//# reports: a test framework
class C { void Go() => Xunit.Assert.True(true); }
//# reports: an attribute of a test framework
class C { [Xunit.Fact] void Go() { } }
//# reports: a tool for testing
class C { object Go() => typeof(FsCheck.Gen<int>); }
//# reports: in an expression body of a generic class
class C<T> { bool Is(object of) => of is OrkSim.SimNode; }
//# reports: a type of role Simulation in the assembly itself
[Ork.OrkRole(Ork.OrkRole.Simulation)] class Pretend { }
class C { object Go() => new Pretend(); }
//# reports Worker: top-level statements
Console.WriteLine(OrkSim.SimDefaults.RecoveryBound);
//# silent: nothing of it
class C { object Go() => new object(); }
//# silent: a word that looks like it
class SimWorld { }
class C { object Go() => new SimWorld(); string Name => "OrkSim.SimWorld"; }
//# silent: a document that names it
/// <summary>See <see cref="OrkSim.SimWorld"/>.</summary>
class C { }
//# silent Simulation: a simulation
class C { object Go() => new OrkSim.SimEntropy(1); }
//# silent Edge: the command line
class C { object Go() => new OrkSim.SimEntropy(1); }
//# silent None: a test
class C { void Go() => Xunit.Assert.True(true); }
//# silent: the kernel's own types
using Ork.Kernel;
class C { object Go() => new Turn(); }
//# silent: the ports
using Ork.Protocol;
class C(IEntropy entropy) { ulong Go() => entropy.NextBits(); }
//# silent: internals shown to tests
[assembly: System.Runtime.CompilerServices.InternalsVisibleTo("OrkSim")]
class C { }
//# silent: a namespace of one's own called Tests
namespace Acme.Tests { class Probe { } }
namespace Acme { class C { object Go() => new Tests.Probe(); } }
//# silent: inside the type of role Simulation
[Ork.OrkRole(Ork.OrkRole.Simulation)] class Pretend { internal object Again() => new Pretend(); object World => new OrkSim.SimEntropy(1); }
