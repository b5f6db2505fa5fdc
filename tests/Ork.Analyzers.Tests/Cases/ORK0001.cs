// role: Kernel
//# reports: DateTime.UtcNow in an expression body
class C { DateTime At => DateTime.UtcNow; }
//# reports: DateTime.Now through an alias
using When = System.DateTime;
class C { When At() { return When.Now; } }
//# reports: Today by using static
using static System.DateTime;
class C { long At() => Today.Ticks; }
//# reports Worker: DateTimeOffset.UtcNow in a nested lambda
class C { Func<Func<long>> At = () => () => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(); }
//# reports: TickCount64 in a generic method
class C { long At<T>(T of) where T : notnull => Environment.TickCount64 + of.GetHashCode(); }
//# reports Simulation: Stopwatch.StartNew in an iterator
using System.Diagnostics;
class C { IEnumerable<long> At() { var clock = Stopwatch.StartNew(); yield return 1; } }
//# reports: Stopwatch.GetTimestamp handed on as a delegate
using System.Diagnostics;
class C { Func<long> Clock() => Stopwatch.GetTimestamp; }
//# reports x2: Stopwatch made, and asked what it shows
class C { TimeSpan At() { System.Diagnostics.Stopwatch clock = new(); return clock.Elapsed; } }
//# reports: TimeProvider.System as a fallback
class C(TimeProvider? time) { readonly TimeProvider _time = time ?? TimeProvider.System; long At() => _time.GetTimestamp(); }
//# reports: a field initializer of a partial class
partial class C { long At() => _born.Ticks; }
partial class C { readonly DateTime _born = DateTime.UtcNow; }
//# reports: a default that a local function returns
class C { long At(long? at) { return at ?? Default(); static long Default() => DateTimeOffset.Now.Ticks; } }
//# reports Worker: top-level statements
Console.WriteLine(DateTime.UtcNow);
//# reports Simulation: the base class of a time provider
class Virtual : TimeProvider { public override DateTimeOffset GetUtcNow() => base.GetUtcNow(); }
//# reports: elapsed since a timestamp, by the machine's clock
class C { double Since(long begun) => System.Diagnostics.Stopwatch.GetElapsedTime(begun).TotalMilliseconds; }
//# reports: a chain into a type of role Edge
[Ork.OrkRole(Ork.OrkRole.Edge)] static class Outside { internal static long Now() => Inner(); static long Inner() => DateTime.UtcNow.Ticks; }
class C { long At() => Outside.Now(); }
//# silent: the provider that is handed in
class C(TimeProvider time) { DateTimeOffset At() => time.GetUtcNow(); TimeSpan Since(long at) => time.GetElapsedTime(at); }
//# silent: dates as values
class C { DateTime At() => new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc); DateTimeOffset Begin => DateTimeOffset.UnixEpoch; long Zero => DateTime.MinValue.Ticks; }
//# silent: nameof
class C { string At => nameof(DateTime.UtcNow) + nameof(TimeProvider.System); }
//# silent: a property of one's own called UtcNow
class Clock { internal long UtcNow { get; set; } }
class C { long At(Clock clock) => clock.UtcNow; }
//# silent: a type of one's own called DateTime
namespace Mine { static class DateTime { internal static long UtcNow => 1; } class C { long At() => DateTime.UtcNow; } }
//# silent: the resolution of Stopwatch, and arithmetic with it
using System.Diagnostics;
class C { long Frequency => Stopwatch.Frequency; TimeSpan Between(long a, long b) => Stopwatch.GetElapsedTime(a, b); }
//# silent Edge: an assembly of role Edge
class C { DateTime At() => DateTime.UtcNow; }
//# silent Caller: a caller has a clock of its own
class C { DateTime At() => DateTime.UtcNow; }
//# silent None: no role is stated
class C { DateTime At() => DateTime.UtcNow; }
//# silent: a comment, a string and a document
/// <summary><see cref="DateTime.UtcNow"/></summary>
class C { string At() => "DateTime.UtcNow"; /* DateTime.UtcNow */ }
//# silent Worker: the program that puts real things together
[Ork.OrkRole(Ork.OrkRole.Edge)] static class Program { static TimeProvider Time => TimeProvider.System; }
//# silent: allowed, with its reason
class C { [Ork.OrkAllow(Ork.OrkEffects.Clock, "shown to people only")] long At() => Outside.Now(); }
[Ork.OrkRole(Ork.OrkRole.Edge)] static class Outside { internal static long Now() => DateTime.UtcNow.Ticks; }
//# silent: parsing and adding
class C { DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture).AddDays(1); }
//# reports: in a default interface method, behind a generic constraint
interface IClock { long Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(); }
class C<T> where T : IClock { long At(T clock) => clock.Now(); }
//# reports: in a switch expression inside a record
record Lease(int Kind) { long Until => Kind switch { 0 => 0, 1 => Environment.TickCount, _ => long.MaxValue }; }
//# reports Worker: in a static local function of top-level statements
static long Now() => System.Diagnostics.Stopwatch.GetTimestamp();
Console.WriteLine(Now());
//# reports: as a default of an options record
record Options { internal TimeProvider Time { get; init; } = TimeProvider.System; }
