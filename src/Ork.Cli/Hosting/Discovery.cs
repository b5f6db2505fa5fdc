using Microsoft.Extensions.Logging;
using Ork.Kernel;
using Ork.Protocol;
using Ork.Transport;

namespace Ork.Cli.Hosting;

/// <summary>The targets of the configuration, and those of a folder that is read again each time. An endpoint that is named twice is that of the first who names it.</summary>
internal sealed class ConfiguredDiscovery(DiscoveryConfig config, ILogger log) : IWorkerDiscovery
{
    private readonly IReadOnlyList<DialTarget> _static =
        [.. config.Static.Select(target => new DialTarget(LinkEndpoint.TryParse(target.Endpoint)!, target.Key))];

    private Dictionary<string, Problem> _problems = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DialTarget>> FindAsync() => new([.. _static.Concat(FromDirectory()).DistinctBy(static target => target.Endpoint)]);

    /// <summary>A folder that is not there says nothing, so that its latest word counts: it may be on a disk that is not mounted.</summary>
    private DialTarget[] FromDirectory()
    {
        if (config.Directory is not { } directory) return [];
        var problems = new Dictionary<string, Problem>(StringComparer.Ordinal);
        var targets = Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal).Select(file => TryRead(file, problems)).OfType<DialTarget>().ToArray();
        _problems = problems;
        return targets;
    }

    private DialTarget? TryRead(string file, Dictionary<string, Problem> problems)
    {
        try
        {
            var words = File.ReadAllText(file).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) return null;
            if (LinkEndpoint.TryParse(words[0]) is not { } endpoint) return PassOver($"it does not begin with {LinkEndpoint.Form}");
            if (words.Length == 1) return new DialTarget(endpoint, null);
            return KeyAllowlist.IsKey(words[1]) ? new DialTarget(endpoint, words[1]) : PassOver("what follows the endpoint is no key: sha256: and 64 hex digits");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return PassOver(e.Message);
        }

        DialTarget? PassOver(string why)
        {
            problems.Add(file, Follow(file, why));
            return null;
        }
    }

    /// <summary>A file may be half written: it is told of, once, if it is found the same twice in a row.</summary>
    private Problem Follow(string file, string why)
    {
        if (_problems.GetValueOrDefault(file) is not { } before || before.Why != why) return new Problem(why, IsTold: false);
        if (!before.IsTold) log.LogWarning("Discovery passes over {File}: {Why}", file, why);
        return before with { IsTold = true };
    }

    private sealed record Problem(string Why, bool IsTold);
}
