namespace OrkSim;

/// <summary>L3: every call of a caller ends within its time, with an answer or a refusal.</summary>
public sealed class AnswersInTime : IInvariant
{
    /// <inheritdoc/>
    public string Id => "L3";

    /// <inheritdoc/>
    public string Says => "Every call of a caller ends within its time, with an answer or a refusal.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.Asked | SimEventKind.Answered | SimEventKind.Pulse;

    private static readonly long Slack = TimeSpan.FromSeconds(1).Ticks;

    private readonly Dictionary<ulong, (string What, long UntilTicks, SimNode Node)> _open = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        switch (happened.Kind)
        {
            case SimEventKind.Asked:
                var bound = TimeSpan.FromMilliseconds(long.Parse(happened.Detail!, System.Globalization.CultureInfo.InvariantCulture));
                _open.Add(happened.Correlation, (happened.Subject!, happened.Ticks + bound.Ticks, happened.Node!));
                break;
            case SimEventKind.Answered:
                _open.Remove(happened.Correlation);
                break;
            default:
                Check(happened.Ticks - Slack - facts.World.WorstLateness.Ticks, facts);
                break;
        }
    }

    private void Check(long ticks, Facts facts)
    {
        foreach (var (what, until, node) in _open.Values)
        {
            if (until < ticks && !node.Frozen) facts.Violated(this, $"A call of {node} ({what}) has not ended in its time.");
        }
    }
}
