using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OrkSim;

namespace Ork.Defects;

/// <summary>What to hunt, and how.</summary>
public sealed record CampaignOptions
{
    /// <summary>The defects.</summary>
    public required IReadOnlyList<Defect> Defects { get; init; }

    /// <summary>The gears, or null for those that each defect names.</summary>
    public IReadOnlyList<Gear>? Gears { get; init; }

    /// <summary>The most a hunt may take.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The first seed.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Hunts at once, each on a core of its own.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>Where results are kept, so that a campaign that was interrupted goes on.</summary>
    public required string Folder { get; init; }

    /// <summary>True: hunts whose results are kept are made again.</summary>
    public bool Fresh { get; init; }

    /// <summary>Only these scenarios; all where there is none.</summary>
    public IReadOnlyList<string> Scenarios { get; init; } = [];
}

/// <summary>One hunt of a campaign, and how it ended.</summary>
/// <param name="Defect">The defect.</param>
/// <param name="Gear">The gear.</param>
/// <param name="Catch">What it caught, or null where it could not be made.</param>
/// <param name="Failure">Why it could not be made, or null.</param>
/// <param name="Kept">True where the result is one that was kept.</param>
public sealed record Hunted(Defect Defect, Gear Gear, Catch? Catch, string? Failure, bool Kept)
{
    /// <summary>True where one of the invariants that must catch the defect did; any, where it names none.</summary>
    public bool IsFound => Catch?.Invariant is { } invariant && (Defect.Invariants.Count == 0 || Defect.Invariants.Contains(invariant));
}

/// <summary>Hunts every defect in every gear, side by side, keeping each result as soon as it is there.</summary>
public sealed class Campaign
{
    private readonly CampaignOptions _options;
    private readonly SourceTree _source;
    private readonly string _state;

    /// <summary>Prepares a campaign.</summary>
    public Campaign(CampaignOptions options, SourceTree source)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(source);
        _options = options;
        _source = source;
        _state = StateOf(source.Root);
    }

    /// <summary>The hunts there are to be made.</summary>
    public IReadOnlyList<(Defect Defect, Gear Gear)> Hunts =>
        [.. _options.Defects.SelectMany(defect => _options.Gears ?? defect.Gears, static (defect, gear) => (defect, gear))];

    /// <summary>Makes them.</summary>
    /// <param name="begun">Hears of each that begins.</param>
    /// <param name="ended">Hears of each that has ended.</param>
    /// <param name="cancellation">Ends it; what was found until then is kept.</param>
    public async Task RunAsync(Action<Defect, Gear> begun, Action<Hunted> ended, CancellationToken cancellation)
    {
        var waiting = new System.Collections.Concurrent.ConcurrentQueue<(Defect Defect, Gear Gear)>(Hunts);
        await Task.WhenAll(Enumerable.Range(0, Math.Max(1, _options.Jobs)).Select(number => Task.Run(async () =>
        {
            HuntingGround? ground = null;
            while (!cancellation.IsCancellationRequested && waiting.TryDequeue(out var next))
            {
                begun(next.Defect, next.Gear);
                if (Kept(next.Defect, next.Gear) is { } kept) ended(new Hunted(next.Defect, next.Gear, kept, null, true));
                else ended(await HuntAsync(next.Defect, next.Gear, ground ??= new HuntingGround(Path.Combine(_options.Folder, $"ground-{number + 1}")), cancellation));
            }
        }, CancellationToken.None)));
        cancellation.ThrowIfCancellationRequested();
    }

    private async Task<Hunted> HuntAsync(Defect defect, Gear gear, HuntingGround ground, CancellationToken cancellation)
    {
        try
        {
            var found = await ground.HuntAsync(_source.Compile(defect.Patch), gear, _options.Time, _options.Seed, _options.Scenarios, cancellation);
            Keep(defect, gear, found);
            return new Hunted(defect, gear, found, null, false);
        }
        catch (DefectException e)
        {
            return new Hunted(defect, gear, null, e.Message, false);
        }
    }

    private Catch? Kept(Defect defect, Gear gear)
    {
        var path = PathOf(defect, gear);
        return _options.Fresh || !File.Exists(path) ? null : JsonSerializer.Deserialize<Catch>(File.ReadAllText(path));
    }

    private void Keep(Defect defect, Gear gear, Catch found)
    {
        var path = PathOf(defect, gear);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(found));
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>Where a result is kept: under a name of all that it hangs on, so that nothing old is taken for new.</summary>
    private string PathOf(Defect defect, Gear gear)
    {
        var key = $"{_state}\n{defect.Text}\n{GearNames.Of(gear)}\n{_options.Time}\n{_options.Seed}\n{string.Join(',', _options.Scenarios)}";
        return Path.Combine(_options.Folder, "results", $"{defect.Name}.{GearNames.Of(gear)}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..12]}.json");
    }

    private static string StateOf(string root)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var folder in (string[])["src", "sim", "scenarios"])
        {
            var files = Directory.EnumerateFiles(Path.Combine(root, folder), "*", SearchOption.AllDirectories)
                .Where(path => Path.GetExtension(path) is ".cs" or ".yaml" && !Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj"));
            foreach (var file in files.Order(StringComparer.Ordinal)) hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
