// role: Kernel
//# reports: a static field
class C { static int _count; int Go() => ++_count; }
//# reports: a static property with a setter
class C { public static string? Name { get; set; } }
//# reports: a static property with a private setter
class C { public static int Count { get; private set; } }
//# reports: a static event
class C { static event Action? Changed; static void Go() => Changed?.Invoke(); }
//# reports Worker: a static list that is added to
class C { static readonly List<int> Seen = []; void Go(int item) => Seen.Add(item); }
//# reports: a static dictionary that is written by index
class C { static readonly Dictionary<string, int> Seen = []; void Go(string key) => Seen[key] = 1; }
//# reports: a static cache
using System.Collections.Concurrent;
class C { static readonly ConcurrentDictionary<string, int> Cache = new(); int Go(string key) => Cache.GetOrAdd(key, of => of.Length); }
//# reports: a static array that is written to
class C { static readonly int[] Counts = new int[4]; void Go(int at) => Counts[at]++; }
//# reports: thread static
class C { [ThreadStatic] static int _depth; int Go() => _depth; }
//# reports: async local
class C { static readonly AsyncLocal<string?> Current = new(); string? Go() => Current.Value; }
//# reports Simulation: in a generic class
class C<T> { static T? _last; void Go(T item) => _last = item; }
//# reports: a static object of one's own whose member is set
class Counter { internal int Count; }
class C { static readonly Counter Of = new(); void Go() => Of.Count++; }
//# reports: a static object of one's own that a method changes
class Counter { int _count; internal void Add() => _count++; }
class C { static readonly Counter Of = new(); void Go() => Of.Add(); }
//# reports: in a partial class, from a lambda
partial class C { static readonly Queue<int> Waiting = new(); }
partial class C { Action<int> Go = item => Waiting.Enqueue(item); }
//# reports: a public static list
public class C { public static readonly List<string> Names = ["a"]; }
//# reports: handed on by reference
class C { static readonly int[] Next = [0]; int Go() => Interlocked.Increment(ref Next[0]); }
//# reports: a static generator of chance
class C { static readonly Random Chance = new(7); int Go() => Chance.Next(); }
//# reports: a static semaphore
class C { static readonly SemaphoreSlim Places = new(4); int Go() => Places.CurrentCount; }
//# silent: constants
class C { const int Most = 5; static readonly TimeSpan After = TimeSpan.FromSeconds(1); static readonly string Name = "x"; }
//# silent: a table that is only read
class C { static readonly Dictionary<string, int> Words = new() { ["a"] = 1 }; int Go(string word) => Words.GetValueOrDefault(word); }
//# silent: an array that is only read
class C { static readonly int[] Sizes = [1, 2, 4]; int Go(int at) => Sizes[at] + Sizes.Length; }
//# silent: filled in the static constructor
class C { static readonly List<int> All = []; static C() { All.Add(1); } int Go() => All.Count; }
//# silent: an immutable collection
using System.Collections.Immutable;
class C { static readonly ImmutableList<int> All = []; ImmutableList<int> Go(int item) => All.Add(item); }
//# silent: static functions and lambdas
class C { static readonly Func<int, int> Twice = value => value * 2; static int Go(int value) => Twice(value); }
//# silent: an instance field
class C { int _count; int Go() => ++_count; }
//# silent: a static property that computes
class C { static int Go => 5; static string Name => $"{Go}"; }
//# silent: a static get-only property
class C { static IReadOnlyList<int> All { get; } = [1, 2]; }
//# silent: an object of one's own that is read
record Limits(int Most);
class C { static readonly Limits Default = new(5); Limits Go() => Default with { Most = 6 }; }
//# silent: a gate, and what a lock protects elsewhere
class C { static readonly object Gate = new(); int _of; int Go() { lock (Gate) return ++_of; } }
//# silent Edge: an assembly of role Edge
class C { static int _count; int Go() => ++_count; }
//# silent: text that is sliced
class C { static readonly byte[] Prefix = "ork"u8.ToArray(); bool Go(ReadOnlySpan<byte> of) => of.StartsWith(Prefix); }
//# reports: a static field of a struct, by Interlocked
struct Ids { static long _last; internal static long Next() => Interlocked.Increment(ref _last); }
//# reports: an interface's static field
interface IThings { static int Count; }
//# reports: a static array in a nested class, filled later
class C { static class Inner { internal static readonly long[] Slots = new long[8]; } void Go(int at, long value) => Inner.Slots[at] = value; }
//# silent: a static lambda cache of the compiler, and a static generic constant
class C<T> { static readonly int Size = typeof(T).Name.Length; Func<int, int> Go() => static of => of + Size; }
