// role: Kernel
//# reports: Guid.NewGuid in an expression body
class C { string Id => Guid.NewGuid().ToString(); }
//# reports: CreateVersion7 through an alias
using Id = System.Guid;
class C { Id Next() => Id.CreateVersion7(); }
//# reports: CreateVersion7 of a given time is chance still
class C { Guid Next(DateTimeOffset at) => Guid.CreateVersion7(at); }
//# reports: NewGuid by using static
using static System.Guid;
class C { string Next() => NewGuid().ToString("N"); }
//# reports Worker: Random.Shared in a lambda in a lambda
class C { Func<Func<int>> Draw = () => () => Random.Shared.Next(); }
//# reports Simulation: a Random without a seed
class C { readonly Random _random = new(); }
//# reports: a Random with a seed, in a kernel
class C { Random Draw(int seed) => new Random(seed); }
//# reports: RandomNumberGenerator.Fill
using System.Security.Cryptography;
class C { void Draw(byte[] bytes) => RandomNumberGenerator.Fill(bytes); }
//# reports: RandomNumberGenerator.GetInt32 as a delegate
using System.Security.Cryptography;
class C { Func<int, int> Draw => RandomNumberGenerator.GetInt32; }
//# reports Worker: a random file name
class C { string Name() => Path.GetRandomFileName(); }
//# reports: NewGuid as the default of a generic method
class C { T Get<T>(Func<Guid, T> make) => make(Guid.NewGuid()); }
//# reports: LINQ's shuffle
class C { IEnumerable<int> Mix(int[] items) => items.Shuffle(); }
//# reports Worker: top-level statements
var id = Guid.NewGuid();
return id == Guid.Empty ? 1 : 0;
//# reports: a partial class and an interpolated string
partial class C { internal partial string Name(); }
partial class C { internal partial string Name() => $"job-{Guid.NewGuid():N}"; }
//# reports Worker: a chain into a type of role Edge
[Ork.OrkRole(Ork.OrkRole.Edge)] static class Outside { internal static Guid Id() => Guid.NewGuid(); }
class C { Guid Id() => Outside.Id(); }
//# silent: IEntropy
using Ork.Protocol;
class C(IEntropy entropy) { Guid Next(long utcMs) => entropy.NextId(utcMs); long Jitter(int attempt) => entropy.FullJitterMs(attempt, 100, 1_000); }
//# silent: Guid as a value
class C { Guid Parse(string text) => Guid.Parse(text); Guid None => Guid.Empty; Guid Of(ReadOnlySpan<byte> bytes) => new(bytes); }
//# silent Simulation: a Random with a seed, in a simulation
class C { Random Draw(int seed) => new(seed); }
//# silent: drawing from what is handed in
class C { int Draw(Random random) => random.Next(5); }
//# silent: a class of one's own called Random
namespace Mine { class Random { internal int Next() => 4; } class C { int Draw() => new Random().Next(); } }
//# silent: nameof
class C { string Name => nameof(Guid.NewGuid); }
//# silent Edge: an assembly of role Edge
class C { Guid Next() => Guid.NewGuid(); }
//# silent Caller: a caller names its requests
class C { Guid Next() => Guid.NewGuid(); }
//# silent: hashing is no chance
using System.Security.Cryptography;
class C { byte[] Hash(byte[] bytes) => SHA256.HashData(bytes); }
//# silent: a method of one's own called NewGuid
class Ids { internal static long NewGuid() => 1; }
class C { long Next() => Ids.NewGuid(); }
//# silent: LINQ that keeps its order
class C { IEnumerable<int> Mix(int[] items) => items.Order().Reverse(); }
