using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Transport;

namespace Ork.Cli.Hosting;

/// <summary>The whole configuration of a kernel, as in its JSON file.</summary>
internal sealed record KernelConfig
{
    /// <summary>Where the store and the key are.</summary>
    public string Data { get; init; } = Defaults.DataDirectory;

    /// <summary>Where callers are listened for.</summary>
    public IReadOnlyList<string> Listen { get; init; } = [];

    /// <summary>Where Workers that announce themselves are listened for.</summary>
    public IReadOnlyList<string> WorkersListen { get; init; } = [];

    /// <summary>Public-key hashes of callers that may connect over TCP.</summary>
    public IReadOnlyList<string> AllowCallers { get; init; } = [];

    /// <summary>Public-key hashes of Workers that may connect over TCP.</summary>
    public IReadOnlyList<string> AllowWorkers { get; init; } = [];

    /// <summary>Files with one public-key hash a line, for callers.</summary>
    public IReadOnlyList<string> AllowCallersFiles { get; init; } = [];

    /// <summary>Files with one public-key hash a line, for Workers.</summary>
    public IReadOnlyList<string> AllowWorkersFiles { get; init; } = [];

    /// <summary>True: any key may connect over TCP.</summary>
    public bool AllowAny { get; init; }

    /// <summary>True: TCP without TLS or keys, on loopback only.</summary>
    public bool Insecure { get; init; }

    /// <summary>Limit of a frame's length field, in bytes.</summary>
    public int MaxFrameBytes { get; init; } = FrameHeader.DefaultMaxFrameBytes;

    /// <summary>True: every start checks the whole store, however large.</summary>
    public bool FullStoreCheck { get; init; }

    /// <summary>Which Workers to dial.</summary>
    public DiscoveryConfig Discovery { get; init; } = new();

    /// <summary>The log.</summary>
    public LogConfig Log { get; init; } = new();

    /// <summary>Where metrics and spans are exported to over OTLP, a URL; null for nowhere.</summary>
    public string? Otlp { get; init; }

    /// <summary>Every cadence, bound and limit of the kernel.</summary>
    public KernelOptions Kernel { get; init; } = new();

    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.Strict,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConfigException">It cannot be used; the message says where and why.</exception>
    internal static KernelConfig Load(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<KernelConfig>(File.ReadAllText(path), Json) ?? throw new ConfigException($"{path}: empty");
        }
        catch (JsonException e)
        {
            var line = e.LineNumber is { } number ? $":{number + 1}:{e.BytePositionInLine + 1}" : "";
            throw new ConfigException($"{path}{line}: {e.Path}: {Plain(e.Message)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException($"{path}: {e.Message}");
        }
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ConfigException">Some cannot be used; the message lists them all.</exception>
    internal KernelConfig Validated()
    {
        var problems = new List<string>();
        CheckNulls(this, "", problems);
        if (problems.Count > 0) throw new ConfigException(string.Join(Environment.NewLine, problems));
        CheckNumbers(Kernel, "kernel", problems);
        foreach (var (text, name) in Listen.Select(text => (text, "listen")).Concat(WorkersListen.Select(text => (text, "workersListen")))
            .Concat(Discovery.Static.Select(target => (target.Endpoint, "discovery.static"))))
        {
            if (LinkEndpoint.TryParse(text) is null) problems.Add($"{name}: '{text}' is not {LinkEndpoint.Form}");
        }

        var keys = AllowCallers.Concat(AllowWorkers).Concat(Discovery.Static.Select(target => target.Key).OfType<string>());
        problems.AddRange(keys.Where(key => !KeyAllowlist.IsKey(key)).Select(key => $"'{key}' is not a key: sha256: and 64 hex digits"));
        if (MaxFrameBytes is < 1024 or > 64 * 1024 * 1024) problems.Add("maxFrameBytes: must be from 1024 to 67108864");
        if (Otlp is not null && !Uri.TryCreate(Otlp, UriKind.Absolute, out _)) problems.Add($"otlp: '{Otlp}' is not a URL");
        problems.AddRange(KernelOptions.InOrder.Where(pair => pair.ShorterOf(Kernel) > pair.LongerOf(Kernel)).Select(static pair => $"kernel.{pair.Longer}: must not be below kernel.{pair.Shorter}"));
        if (Kernel.Commands.MaxRequestBytes > MaxFrameBytes / 2) problems.Add("kernel.commands.maxRequestBytes: must not be above half of maxFrameBytes");
        if (Kernel.Commands.MaxResultBytes > MaxFrameBytes / 2) problems.Add("kernel.commands.maxResultBytes: must not be above half of maxFrameBytes");
        if (Kernel.Pulls.MaxQueryBytes > MaxFrameBytes / 2) problems.Add("kernel.pulls.maxQueryBytes: must not be above half of maxFrameBytes");
        return problems.Count == 0 ? this : throw new ConfigException(string.Join(Environment.NewLine, problems));
    }

    /// <summary>The allowlist of one audience. Its files are read again when they change, which is logged.</summary>
    internal KeyAllowlist Allowlist(IReadOnlyList<string> keys, IReadOnlyList<string> files, ILogger log) => new(keys, AllowAny, new KeyFiles(files, TimeProvider.System, (count, failure) =>
    {
        if (failure is null) log.LogInformation("Keys read again from {Files}: {Count}", string.Join(", ", files), count);
        else log.LogWarning("Keys not read again from {Files}, those of before hold ({Count}): {Failure}", string.Join(", ", files), count, failure.Message);
    }));

    private static string Plain(string message) => message.Split(" Path:")[0];

    /// <summary>JSON can say null where nothing can be null.</summary>
    private static void CheckNulls(object section, string path, List<string> problems)
    {
        var nullability = new NullabilityInfoContext();
        foreach (var property in section.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = path + JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            var value = property.GetValue(section);
            if (value is null && nullability.Create(property).ReadState == NullabilityState.NotNull) problems.Add($"{name}: must not be null");
            if (value is IEnumerable<object?> list && list.Contains(null)) problems.Add($"{name}: must not hold null");
            if (value is DiscoveryConfig or LogConfig || value?.GetType().Namespace == typeof(KernelOptions).Namespace) CheckNulls(value!, name + ".", problems);
        }
    }

    private static void CheckNumbers(object section, string path, List<string> problems)
    {
        foreach (var property in section.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var name = $"{path}.{JsonNamingPolicy.CamelCase.ConvertName(property.Name)}";
            switch (property.GetValue(section))
            {
                case int number when number <= 0 && !MayBeZero(property):
                case long duration when duration <= 0 && !MayBeZero(property):
                    problems.Add($"{name}: must be above 0");
                    break;
                case long duration when duration > 366L * 24 * 3_600_000:
                    problems.Add($"{name}: must not be above a year");
                    break;
                case { } nested when property.PropertyType.Namespace == typeof(KernelOptions).Namespace:
                    CheckNumbers(nested, name, problems);
                    break;
            }
        }
    }

    private static bool MayBeZero(PropertyInfo property) => property.Name is nameof(CommandOptions.MaxRetries) or nameof(CommandOptions.MaxRecoveries)
        or nameof(CommandOptions.MaxWaiters);
}

/// <summary>Which Workers to dial.</summary>
internal sealed record DiscoveryConfig
{
    /// <summary>Targets written here.</summary>
    public IReadOnlyList<StaticTarget> Static { get; init; } = [];

    /// <summary>A folder of files, each <c>ENDPOINT [KEY]</c>, read again and again; null for none.</summary>
    public string? Directory { get; init; }
}

/// <summary>A Worker to dial.</summary>
/// <param name="Endpoint">Where.</param>
/// <param name="Key">The key it must prove, or null for any allowed one.</param>
internal sealed record StaticTarget(string Endpoint, string? Key = null);

/// <summary>The log.</summary>
internal sealed record LogConfig
{
    /// <summary>The least level shown.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>True: one JSON object a line.</summary>
    public bool Json { get; init; }
}

/// <summary>A configuration that cannot be used.</summary>
internal sealed class ConfigException(string message) : Exception(message);

/// <summary>What applies where nothing is said.</summary>
internal static class Defaults
{
    internal static string DataDirectory => Environment.GetEnvironmentVariable("ORK_DATA") is { Length: > 0 } data
        ? data
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "ork");

    internal static string CallerEndpoint(string data) => $"unix:{Path.Combine(Path.GetFullPath(data), "ork.sock")}";

    internal static string WorkerEndpoint(string data) => $"unix:{Path.Combine(Path.GetFullPath(data), "workers.sock")}";
}
