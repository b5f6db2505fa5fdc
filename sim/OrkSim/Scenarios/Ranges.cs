using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OrkSim;

/// <summary>Whole numbers from one to another, both included; written <c>5</c> or <c>5..40</c>.</summary>
/// <param name="Min">The least.</param>
/// <param name="Max">The most.</param>
[JsonConverter(typeof(IntRangeConverter))]
public readonly record struct IntRange(int Min, int Max)
{
    /// <summary>One number.</summary>
    public static implicit operator IntRange(int value) => new(value, value);

    /// <inheritdoc/>
    public override string ToString() => Min == Max ? Text(Min) : $"{Text(Min)}..{Text(Max)}";

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Numbers from one to another; written <c>0.1</c> or <c>0..0.02</c>.</summary>
/// <param name="Min">The least.</param>
/// <param name="Max">The most.</param>
[JsonConverter(typeof(RealRangeConverter))]
public readonly record struct RealRange(double Min, double Max)
{
    /// <summary>One number.</summary>
    public static implicit operator RealRange(double value) => new(value, value);

    /// <inheritdoc/>
    public override string ToString() => Min.Equals(Max) ? Text(Min) : $"{Text(Min)}..{Text(Max)}";

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}

/// <summary>Durations from one to another; written <c>5s</c> or <c>1ms..80ms</c>.</summary>
/// <param name="Min">The shortest.</param>
/// <param name="Max">The longest.</param>
[JsonConverter(typeof(TimeRangeConverter))]
public readonly record struct TimeRange(TimeSpan Min, TimeSpan Max)
{
    /// <summary>One duration.</summary>
    public static implicit operator TimeRange(TimeSpan value) => new(value, value);

    /// <summary>A range of seconds.</summary>
    public static TimeRange Seconds(double min, double max) => new(TimeSpan.FromSeconds(min), TimeSpan.FromSeconds(max));

    /// <summary>A range of milliseconds.</summary>
    public static TimeRange Milliseconds(double min, double max) => new(TimeSpan.FromMilliseconds(min), TimeSpan.FromMilliseconds(max));

    /// <summary>One of the range.</summary>
    public TimeSpan Draw(Draws draws)
    {
        ArgumentNullException.ThrowIfNull(draws);
        return draws.Between(Min, Max);
    }

    /// <inheritdoc/>
    public override string ToString() => Min == Max ? Text(Min) : $"{Text(Min)}..{Text(Max)}";

    /// <summary>Reads a duration with its unit: us, ms, s, m or h.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static TimeSpan ParseDuration(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TryParseDuration(text, out var time) ? time : throw new FormatException($"'{text}' is no duration: a number with us, ms, s, m or h is.");
    }

    internal static bool TryParseDuration(string text, out TimeSpan time)
    {
        time = default;
        var unit = text.AsSpan().TrimStart("-0123456789.").ToString();
        if (!double.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return false;
        double? us = unit switch { "us" => 1, "ms" => 1e3, "s" => 1e6, "m" => 60e6, "h" => 3600e6, _ => null };
        if (us is null || Math.Abs(number * us.Value) > TimeSpan.FromDays(10_000).TotalMicroseconds) return false;
        time = TimeSpan.FromMicroseconds(number * us.Value);
        return true;
    }

    /// <summary>A duration as it is written.</summary>
    internal static string Text(TimeSpan value)
    {
        var us = value.TotalMicroseconds;
        return Math.Abs(us) >= 1_000_000 && us % 1_000_000 == 0 ? string.Create(CultureInfo.InvariantCulture, $"{us / 1_000_000}s")
            : Math.Abs(us) >= 1_000 && us % 1_000 == 0 ? string.Create(CultureInfo.InvariantCulture, $"{us / 1_000}ms")
            : string.Create(CultureInfo.InvariantCulture, $"{us}us");
    }
}

internal static class RangeText
{
    internal static (string Min, string Max) Split(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            var number = reader.GetDouble().ToString("R", CultureInfo.InvariantCulture);
            return (number, number);
        }

        var text = reader.GetString() ?? throw new JsonException("A range may not be null.");
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        return dots < 0 ? (text, text) : (text[..dots], text[(dots + 2)..]);
    }
}

internal sealed class IntRangeConverter : JsonConverter<IntRange>
{
    public override IntRange Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var (min, max) = RangeText.Split(ref reader);
        return new IntRange(int.Parse(min, CultureInfo.InvariantCulture), int.Parse(max, CultureInfo.InvariantCulture));
    }

    public override void Write(Utf8JsonWriter writer, IntRange value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class RealRangeConverter : JsonConverter<RealRange>
{
    public override RealRange Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var (min, max) = RangeText.Split(ref reader);
        return new RealRange(double.Parse(min, CultureInfo.InvariantCulture), double.Parse(max, CultureInfo.InvariantCulture));
    }

    public override void Write(Utf8JsonWriter writer, RealRange value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class TimeRangeConverter : JsonConverter<TimeRange>
{
    public override TimeRange Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var (min, max) = RangeText.Split(ref reader);
        return new TimeRange(TimeRange.ParseDuration(min), TimeRange.ParseDuration(max));
    }

    public override void Write(Utf8JsonWriter writer, TimeRange value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
