using System.Globalization;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;

namespace OrkSim;

/// <summary>What a key of a scenario file takes: how it is read, written, told to editors, drawn for a run, and made smaller for a shorter story.</summary>
/// <typeparam name="T">Its type.</typeparam>
internal sealed record Form<T>
{
    /// <summary>What it takes, for people.</summary>
    internal required string Takes { get; init; }

    /// <summary>Reads a scalar; the answer is what is wrong with it, or null.</summary>
    internal required Reading<T> Read { get; init; }

    /// <summary>Writes it as a scalar.</summary>
    internal required Func<T, string> Write { get; init; }

    /// <summary>What a JSON schema says of it, without its description.</summary>
    internal required Func<JsonObject> Schema { get; init; }

    /// <summary>Draws one value of a range for a run; null, or its answer is, where nothing is drawn, or not until it is used.</summary>
    internal Func<T, Gen<T>?>? Draw { get; init; }

    /// <summary>Values that make a run smaller, the boldest first.</summary>
    internal Func<T, IEnumerable<T>> Smaller { get; init; } = static _ => [];
}

/// <summary>Reads a scalar.</summary>
/// <returns>What is wrong with it, or null.</returns>
internal delegate string? Reading<T>(string text, out T value);

/// <summary>The forms there are.</summary>
internal static class Forms
{
    private const string WholePattern = @"^\d+(\.\.\d+)?$";
    private const string RealPattern = @"^\d*\.?\d+(\.\.\d*\.?\d+)?$";
    private const string TimePattern = @"^\d*\.?\d+(us|ms|s|m|h)(\.\.\d*\.?\d+(us|ms|s|m|h))?$";

    /// <summary>A whole number or a range of them; a run has one of it.</summary>
    internal static Form<IntRange> Whole(int least, int most, int plain) => new()
    {
        Takes = string.Create(CultureInfo.InvariantCulture, $"a whole number or a range, {least} to {most}"),
        Read = (string text, out IntRange value) =>
        {
            var wrong = ReadRange(text, least, most, WholeOf, "a whole number", "5 or 5..40", out var range);
            value = new IntRange(range.Min, range.Max);
            return wrong;
        },
        Write = static value => value.ToString(),
        Schema = () => AnyOf(new JsonObject { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most }, Text(WholePattern)),
        Draw = static range => range.Min == range.Max ? Gen.Constant(range) : Gen.Choose(range.Min, range.Max).Select(static number => (IntRange)number),
        Smaller = value => Towards(value.Min, plain).Select(static number => (IntRange)number),
    };

    /// <summary>A limit of the kernel or a range of such. Where it is one value nothing is drawn, and the seeds of scenarios that set none mean what they meant without the key.</summary>
    internal static Form<IntRange> Limit(KernelLimit limit)
    {
        var whole = Whole(limit.Least, KernelLimit.Most, limit.Usual.Min);
        return whole with { Draw = range => range.Min == range.Max ? null : whole.Draw!(range), Smaller = value => value == limit.Usual ? [] : [limit.Usual] };
    }

    /// <summary>A number or a range of them; a run has one of it, in steps of a hundredth of the range.</summary>
    internal static Form<RealRange> Real(double least, double most, double plain) => new()
    {
        Takes = string.Create(CultureInfo.InvariantCulture, $"a number or a range, {least} to {most}"),
        Read = (string text, out RealRange value) =>
        {
            var wrong = ReadRange(text, least, most, RealOf, "a number", "0.1 or 0..0.02", out var range);
            value = new RealRange(range.Min, range.Max);
            return wrong;
        },
        Write = static value => value.ToString(),
        Schema = () => AnyOf(new JsonObject { ["type"] = "number", ["minimum"] = least, ["maximum"] = most }, Text(RealPattern)),
        Draw = static range => range.Min.Equals(range.Max) ? Gen.Constant(range) : Gen.Choose(0, 100).Select(step => (RealRange)(range.Min + ((range.Max - range.Min) * step / 100))),
        Smaller = value => Halves(value.Min, plain).Select(static number => (RealRange)number),
    };

    /// <summary>A duration or a range of them. A range stays one: each use draws its own.</summary>
    internal static Form<TimeRange> Times(string example, string? word = null, TimeRange wordMeans = default) => new()
    {
        Takes = "a duration or a range, such as " + example + (word is null ? "" : $", or {word}"),
        Read = (string text, out TimeRange value) =>
        {
            value = wordMeans;
            if (text == word) return null;
            var wrong = ReadRange(text, TimeSpan.Zero, TimeSpan.FromDays(1), DurationOf, "a duration with its unit (us, ms, s, m or h)", example, out var range);
            value = new TimeRange(range.Min, range.Max);
            return wrong;
        },
        Write = value => word is not null && value == wordMeans ? word : value.ToString(),
        Schema = () => word is null ? Text(TimePattern) : AnyOf(Text(TimePattern), new JsonObject { ["const"] = word }),

        // Half of what a word means may be more than can be written.
        Smaller = value => value.Min == value.Max ? [] : (word is not null && value == wordMeans) || value.Max - value.Min < TimeSpan.FromMilliseconds(20) ? [value.Min] : [value.Min, value with { Max = value.Min + TimeSpan.FromMilliseconds(Math.Round((value.Max - value.Min).TotalMilliseconds / 2)) }],
    };

    /// <summary>One duration.</summary>
    internal static Form<TimeSpan> Time(string example) => new()
    {
        Takes = "a duration, such as " + example,
        Read = (string text, out TimeSpan value) => TimeRange.TryParseDuration(text, out value) && value >= TimeSpan.Zero && value <= TimeSpan.FromDays(1) ? null
            : $"'{text}' is no duration with its unit (us, ms, s, m or h), such as {example}.",
        Write = TimeRange.Text,
        Schema = static () => Text(@"^\d*\.?\d+(us|ms|s|m|h)$"),
    };

    /// <summary>One whole number.</summary>
    internal static Form<int> Number(int least, int most) => new()
    {
        Takes = string.Create(CultureInfo.InvariantCulture, $"a whole number, {least} to {most}"),
        Read = (string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most ? null
            : string.Create(CultureInfo.InvariantCulture, $"'{text}' is no whole number from {least} to {most}."),
        Write = static value => value.ToString(CultureInfo.InvariantCulture),
        Schema = () => new JsonObject { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most },
        Smaller = value => Towards(value, least),
    };

    /// <summary>True or false.</summary>
    internal static Form<bool> Flag { get; } = new()
    {
        Takes = "true or false",
        Read = static (string text, out bool value) => bool.TryParse(text, out value) && text is "true" or "false" ? null : $"'{text}' is neither true nor false.",
        Write = static value => value ? "true" : "false",
        Schema = static () => new JsonObject { ["type"] = "boolean" },
        Smaller = static value => value ? [false] : [],
    };

    /// <summary>A text.</summary>
    internal static Form<string> Line { get; } = new()
    {
        Takes = "a text",
        Read = static (string text, out string value) =>
        {
            value = text;
            return null;
        },
        Write = static value => value,
        Schema = static () => new JsonObject { ["type"] = "string" },
    };

    /// <summary>A name that is also a file's.</summary>
    internal static Form<string> Name { get; } = new()
    {
        Takes = "small letters, digits and dashes",
        Read = static (string text, out string value) =>
        {
            value = text;
            return text.Length > 0 && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') ? null : $"'{text}' is no name: small letters, digits and dashes are.";
        },
        Write = static value => value,
        Schema = static () => Text("^[a-z0-9-]+$"),
    };

    /// <summary>One of several words, plain ones last.</summary>
    internal static Form<T> Word<T>()
        where T : struct, Enum
    {
        var words = Enum.GetValues<T>().ToDictionary(static value => CamelCase(value.ToString()), static value => value, StringComparer.Ordinal);
        return new Form<T>
        {
            Takes = "one of " + string.Join(", ", words.Keys),
            Read = (string text, out T value) => words.TryGetValue(text, out value) ? null : $"'{text}' is none of {string.Join(", ", words.Keys)}.{Spelling.DidYouMean(text, words.Keys)}",
            Write = value => words.First(word => word.Value.Equals(value)).Key,
            Schema = () => new JsonObject { ["enum"] = new JsonArray([.. words.Keys.Select(static word => (JsonNode)word)]) },
        };
    }

    private static string CamelCase(string name) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(name);

    private static int? WholeOf(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static double? RealOf(string text) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static TimeSpan? DurationOf(string text) => TimeRange.TryParseDuration(text, out var time) ? time : null;

    private static string? ReadRange<T>(string text, T least, T most, Func<string, T?> read, string what, string example, out (T Min, T Max) range)
        where T : struct, IComparable<T>
    {
        range = default;
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        var (first, last) = dots < 0 ? (text, text) : (text[..dots], text[(dots + 2)..]);
        if (read(first) is not { } min || read(last) is not { } max) return $"'{text}' is neither {what} nor a range, such as {example}.";
        if (min.CompareTo(max) > 0) return $"'{text}' goes down: a range begins with its least.";
        if (min.CompareTo(least) < 0 || max.CompareTo(most) > 0) return $"'{text}' is outside of {Plain(least)} to {Plain(most)}.";
        range = (min, max);
        return null;
    }

    private static string Plain<T>(T value) => value is TimeSpan time ? TimeRange.Text(time) : string.Create(CultureInfo.InvariantCulture, $"{value}");

    private static IEnumerable<int> Towards(int value, int plain)
    {
        if (value == plain) yield break;
        yield return plain;
        for (var distance = (value - plain) / 2; distance != 0; distance /= 2) yield return value - distance;
    }

    private static IEnumerable<double> Halves(double value, double plain)
    {
        if (value.Equals(plain)) return [];
        var middle = Math.Round((value + plain) / 2, 4);
        return Math.Abs(value - plain) < 0.04 ? [plain] : [plain, middle];
    }

    private static JsonObject Text(string pattern) => new() { ["type"] = "string", ["pattern"] = pattern };

    private static JsonObject AnyOf(params JsonObject[] forms) => new() { ["anyOf"] = new JsonArray([.. forms]) };
}
