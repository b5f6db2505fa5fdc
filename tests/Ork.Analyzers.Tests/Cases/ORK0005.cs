// role: Kernel
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
//# reports: a concurrent dictionary gone through
class C { readonly ConcurrentDictionary<string, int> _of = new(); void Go(List<int> into) { foreach (var pair in _of) into.Add(pair.Value); } }
//# reports: the keys of a concurrent dictionary
class C { readonly ConcurrentDictionary<string, int> _of = new(); void Go(List<string> into) { foreach (var key in _of.Keys) into.Add(key); } }
//# reports: its values by LINQ
class C { readonly ConcurrentDictionary<string, int> _of = new(); int[] Go() => _of.Values.Select(value => value + 1).ToArray(); }
//# reports: a snapshot of it returned
class C { readonly ConcurrentDictionary<string, int> _of = new(); KeyValuePair<string, int>[] Go() => _of.ToArray(); }
//# reports: joined as text
class C { readonly ConcurrentDictionary<string, int> _of = new(); string Go() => string.Join(",", _of.Keys); }
//# reports: spread into an array
class C { readonly ConcurrentBag<int> _of = []; int[] Go() => [.. _of]; }
//# reports: the first of them
class C { readonly ConcurrentDictionary<string, int> _of = new(); int Go() => _of.First().Value; }
//# reports: a bag's own choice
class C { readonly ConcurrentBag<int> _of = []; bool Go(out int next) => _of.TryTake(out next); }
//# reports: an immutable dictionary, which is ordered by salted hash codes
class C { void Go(ImmutableDictionary<string, int> of, List<int> into) { foreach (var pair in of) into.Add(pair.Value); } }
//# reports: an immutable set by query syntax
class C { IEnumerable<string> Go(ImmutableHashSet<string> of) => from name in of where name.Length > 1 select name; }
//# reports: PLINQ
class C { int[] Go(int[] of) => of.AsParallel().Select(value => value * 2).ToArray(); }
//# reports: a hash code stored
class C { int _place; void Go(string key) => _place = key.GetHashCode(); }
//# reports: a place found by hash code
class C { int Go(string key, int places) => (key.GetHashCode() & int.MaxValue) % places; }
//# reports: HashCode.Combine outside of GetHashCode
class C { int Seed(int a, string b) => HashCode.Combine(a, b); }
//# reports: a comparer's hash code
class C { int Seed(string of) => StringComparer.Ordinal.GetHashCode(of); }
//# reports: a double as text
class C { string Go(double value) => value.ToString(); }
//# reports: a double in an interpolated string
class C { string Go(double value) => $"{value:F1} s"; }
//# reports: a double in a concatenation
class C { string Go(double value) => "at " + value; }
//# reports: doubles joined
class C { string Go(double[] values) => string.Join(";", values); }
//# reports: a double appended
class C { string Go(double value) => new System.Text.StringBuilder().Append(value).ToString(); }
//# reports: a double converted
class C { double Go(string text) => Convert.ToDouble(text); }
//# reports: a date as text
class C { string Go(DateTimeOffset at) => at.ToString("yyyy-MM-dd"); }
//# reports: a double read
class C { double Go(string text) => double.Parse(text); }
//# reports: the machine's culture asked for
class C { string Go(int value) => value.ToString("N0", CultureInfo.CurrentCulture); }
//# reports: upper case by culture
class C { string Go(string name) => name.ToUpper(); }
//# reports: text compared by culture
class C { int Go(string a, string b) => string.Compare(a, b); }
//# reports: a prefix by culture
class C { bool Go(string a) => a.StartsWith("x-"); }
//# reports: text sorted by culture
class C { string[] Go(string[] names) => names.OrderBy(name => name).ToArray(); }
//# reports: text sorted in place by culture
class C { void Go(List<string> names) => names.Sort(); }
//# reports: a sorted dictionary of text by culture
class C { readonly SortedDictionary<string, int> _of = []; }
//# reports Simulation: in a generic class, in a lambda
class C<T> where T : notnull { readonly ConcurrentDictionary<T, int> _of = new(); Func<int> Go => () => { var sum = 0; foreach (var (_, value) in _of) sum = sum * 31 + value; return sum; }; }
//# reports: a whole number with grouping
class C { string Go(int value) => $"{value:N0}"; }
//# silent: looking up in a concurrent dictionary
class C { readonly ConcurrentDictionary<string, int> _of = new(); int Go(string key) { _of.TryAdd(key, 1); return _of.TryGetValue(key, out var value) ? value : _of.Count; } }
//# silent: its keys sorted
class C { readonly ConcurrentDictionary<string, int> _of = new(); string[] Go() => _of.Keys.OrderBy(key => key, StringComparer.Ordinal).ToArray(); }
//# silent: sorted after being chosen from
class C { readonly ConcurrentDictionary<string, int> _of = new(); IEnumerable<string> Go() => _of.Where(pair => pair.Value > 1).Select(pair => pair.Key).Order(StringComparer.Ordinal); }
//# silent: counted and summed
class C { readonly ConcurrentDictionary<string, int> _of = new(); int Go() => _of.Values.Sum() + _of.Count(pair => pair.Value > 1) + (_of.Any() ? 1 : 0); }
//# silent: a plain dictionary, which keeps the order of insertion
class C { readonly Dictionary<string, int> _of = []; void Go(List<int> into) { foreach (var pair in _of) into.Add(pair.Value); } }
//# silent: a sorted dictionary of numbers
class C { readonly SortedDictionary<long, int> _of = []; void Go(List<int> into) { foreach (var pair in _of) into.Add(pair.Value); } }
//# silent: a sorted dictionary of text by code points
class C { readonly SortedDictionary<string, int> _of = new(StringComparer.Ordinal); }
//# silent: GetHashCode overridden
sealed class Key(string a, int b) { public override int GetHashCode() => HashCode.Combine(a, b); public override bool Equals(object? other) => other is Key key && key.GetHashCode() == GetHashCode(); }
//# silent: a comparer
sealed class ByName : IEqualityComparer<string> { public bool Equals(string? a, string? b) => a == b; public int GetHashCode(string of) => StringComparer.Ordinal.GetHashCode(of); }
//# silent: hash codes that are values
class C { int Go(int a, Guid b) => a.GetHashCode() + b.GetHashCode(); }
//# silent: text that is the same everywhere
class C { string Go(int count, long ms, string name, Guid id) => $"{count} of {ms} ms, {name} {id}" + count; }
//# silent: the invariant culture
class C { string Go(double value) => string.Create(CultureInfo.InvariantCulture, $"{value:F1} s") + value.ToString("F1", CultureInfo.InvariantCulture); }
//# silent: round-trip dates
class C { string Go(DateTimeOffset at, TimeSpan took) => at.ToString("O") + $"{at:O} {took}"; }
//# silent: ordinal text
class C { bool Go(string a, string b) => a.StartsWith("x-", StringComparison.Ordinal) && string.CompareOrdinal(a, b) == 0 && a.Contains("x") && a.ToUpperInvariant() == b; }
//# silent: numbers sorted, and the longest text
class C { int Go(int[] of, string[] names) { Array.Sort(of); return names.Max(name => name.Length) + of.OrderBy(value => value).First(); } }
//# silent: a concurrent queue, which keeps its order
class C { readonly ConcurrentQueue<int> _of = new(); void Go(List<int> into) { foreach (var item in _of) into.Add(item); } }
//# silent Worker: a Worker formats for people
class C { string Go(double value) => value.ToString(); }
//# silent: a formattable string, whose culture is yet to come
class C { FormattableString Go(double value) => $"{value}"; }
//# silent: made into a set
class C { HashSet<string> Go(ImmutableHashSet<string> of) => of.ToHashSet(); }
//# reports: query syntax over a concurrent dictionary
class C { readonly ConcurrentDictionary<string, int> _of = new(); List<string> Go() => (from pair in _of where pair.Value > 0 select pair.Key).ToList(); }
//# reports: deconstructed, in a local function
class C { readonly ConcurrentDictionary<string, int> _of = new(); int Go() { return Sum(); int Sum() { var sum = 0; foreach (var (key, value) in _of) sum += key.Length * value; return sum; } } }
//# silent: query syntax that sorts
class C { readonly ConcurrentDictionary<long, int> _of = new(); List<long> Go() => (from pair in _of orderby pair.Key select pair.Key).ToList(); }
