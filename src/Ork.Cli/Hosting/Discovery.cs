using Ork.Kernel;
using Ork.Protocol;
using Ork.Transport;

namespace Ork.Cli.Hosting;

/// <summary>The targets of the configuration, and those of a folder that is read again each time.</summary>
internal sealed class ConfiguredDiscovery(DiscoveryConfig config) : IWorkerDiscovery
{
    private readonly IReadOnlyList<DialTarget> _static =
        [.. config.Static.Select(target => new DialTarget(LinkEndpoint.TryParse(target.Endpoint)!, target.Key))];

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DialTarget>> FindAsync() => new([.. _static.Concat(FromDirectory()).Distinct()]);

    /// <summary>A file that cannot be read or says nothing usable is passed over: it may be half written.</summary>
    private IEnumerable<DialTarget> FromDirectory()
    {
        if (config.Directory is not { } directory || !Directory.Exists(directory)) return [];
        return Directory.EnumerateFiles(directory).Order(StringComparer.Ordinal).Select(TryRead).OfType<DialTarget>().ToArray();
    }

    private static DialTarget? TryRead(string file)
    {
        try
        {
            var words = File.ReadAllText(file).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || LinkEndpoint.TryParse(words[0]) is not { } endpoint) return null;
            return words.Length == 1 ? new DialTarget(endpoint, null) : KeyAllowlist.IsKey(words[1]) ? new DialTarget(endpoint, words[1]) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
