using System.Globalization;
using Ork.Kernel;

namespace OrkSim;

/// <summary>S17: in any span of time a kernel makes no more retries than its budget: a burst, a trickle, and a share of that span's first attempts; what waits for it does not look without pause.</summary>
public sealed class RetriesInBudget : IInvariant
{
    private readonly HashSet<long> _sent = [];
    private readonly HashSet<long> _interrupted = [];
    private readonly Dictionary<string, (long Since, int Times)> _looks = new(StringComparer.Ordinal);
    private double _level;
    private long _filledTicks;

    private const int MostLooks = 12;
    private static readonly long LookSpan = TimeSpan.FromMilliseconds(50).Ticks;

    /// <inheritdoc/>
    public string Id => "S17";

    /// <inheritdoc/>
    public string Says => "In any span of time a kernel makes no more retries than its budget: a burst, a trickle, and a share of that span's first attempts; what waits for it does not look without pause.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.StoreOpened | SimEventKind.CommitSubmitted | SimEventKind.Note;

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var budget = facts.World.KernelOptions.Retries;
        if (happened.Node != facts.Holder) return;
        if (happened.Kind == SimEventKind.Note)
        {
            if (happened is { Note: KernelEvent.RetryDelayed, Subject: { } waits }) CheckWait(waits, happened.Ticks, facts);
            return;
        }

        if (happened.Kind == SimEventKind.StoreOpened)
        {
            // A command whose first attempt never became durable is sent for the first time again.
            _sent.Clear();
            foreach (var row in happened.Image!.Commands)
            {
                if (row.SentEver) _sent.Add(row.Seq);
            }

            (_level, _filledTicks) = (budget.Burst, happened.Ticks);
            return;
        }

        // What a turn decided, it decided before it was handed to the store: nothing that came in since is taken from it.
        _level += TimeSpan.FromTicks(happened.Ticks - _filledTicks).TotalSeconds * budget.PerSecond;
        _filledTicks = happened.Ticks;
        var retries = 0;
        foreach (var row in happened.Batch!.Log) Count(in row, budget, ref retries);
        if (retries > 0 && _level < -0.01) facts.Violated(this, $"The kernel makes {retries} retries at once, {(-_level).ToString("F1", CultureInfo.InvariantCulture)} more than its budget has.");
        _level = Math.Min(_level, budget.Burst);
    }

    /// <summary>What waits for the budget looks for it now and then, not without pause.</summary>
    private void CheckWait(string command, long ticks, Facts facts)
    {
        var (since, times) = _looks.GetValueOrDefault(command);
        _looks[command] = (since, times) = ticks - since > LookSpan ? (ticks, 1) : (since, times + 1);
        if (times > MostLooks) facts.Violated(this, $"{command} waits for the retry budget and looks for it {times} times within {SimDefaults.Seconds(ticks - since)} s.");
    }

    private void Count(in TransitionRow row, RetryOptions budget, ref int retries)
    {
        switch (row.To)
        {
            case CommandState.Timeout when row.Detail is "Recovered" or "ShuttingDown":
                _interrupted.Add(row.CommandSeq);
                break;
            case CommandState.Timeout:
                _interrupted.Remove(row.CommandSeq);
                break;
            case CommandState.Executing when _sent.Add(row.CommandSeq):
                _level += budget.SharePercent / 100.0;
                break;
            case CommandState.Dispatched when _sent.Contains(row.CommandSeq) && !_interrupted.Contains(row.CommandSeq):
                retries++;
                _level--;
                break;
        }
    }
}
