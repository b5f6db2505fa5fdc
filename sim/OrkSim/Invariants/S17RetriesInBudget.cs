using System.Globalization;
using Ork.Kernel;
using Ork.Protocol;

namespace OrkSim;

/// <summary>
/// S17: in any span of time a kernel makes no more retries than its budget: a burst, a trickle, and a share of that span's first attempts; what waits for it does not look without pause, what
/// it tells of it is what is left, and a command's attempts have pauses between them; each attempt that failed and is followed by another
/// uses up one retry of its command, and that a Worker had no place for it uses up none.
/// </summary>
public sealed class RetriesInBudget : IInvariant
{
    private readonly HashSet<long> _sent = [];
    private readonly HashSet<long> _blameless = [];
    private readonly HashSet<long> _again = [];
    private readonly Backoff _backoff = new();
    private readonly Dictionary<string, (long Since, int Times)> _looks = new(StringComparer.Ordinal);
    private readonly List<(long Ticks, double Least, double Most)> _left = [];
    private double _level;
    private double _least;
    private double _most;
    private long _filledTicks;
    private long _durableTicks;

    private const int MostLooks = 12;
    private const int LeastTold = 40;
    private const int MostKept = 256;
    private static readonly long LookSpan = TimeSpan.FromMilliseconds(50).Ticks;

    /// <inheritdoc/>
    public string Id => "S17";

    /// <inheritdoc/>
    public string Says => "In any span of time a kernel makes no more retries than its budget: a burst, a trickle, and a share of that span's first attempts; what waits for it does not look without pause, what it tells of it is what is left, and a command's attempts have pauses between them; each attempt that failed and is followed by another uses up one retry of its command, and that a Worker had no place for it uses up none.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.StoreOpened | SimEventKind.CommitSubmitted | SimEventKind.CommitDurable | SimEventKind.FrameSent | SimEventKind.Note;

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

        if (happened.Kind == SimEventKind.FrameSent)
        {
            if (happened.Message is { Action: OrkAction.WorkerListResponse } message && message.Listing.TryGetProperty("kernel", out var kernel)) CheckTold(kernel.GetProperty("retriesLeft").GetInt64(), happened.Ticks, facts);
            return;
        }

        if (happened.Kind == SimEventKind.StoreOpened)
        {
            Begin(happened.Image!, happened.Ticks, budget);
            return;
        }

        if (happened.Kind == SimEventKind.CommitDurable)
        {
            _durableTicks = happened.Ticks;
            return;
        }

        Take(happened.Batch!, happened.Ticks, budget, facts);
        if (UsedUp(happened.Batch!, facts) is { } used) facts.Violated(this, used);

        // Where no commit was in the way a batch is handed over as it is decided.
        var decided = _durableTicks < happened.Ticks ? happened.Ticks : facts.DecidedSince(facts.Holder!);
        if (_backoff.Wrong(happened.Batch!, decided, happened.Ticks, facts.World.KernelOptions.Commands, _blameless.Contains) is { } wrong) facts.Violated(this, wrong);
    }

    /// <summary>Each attempt that failed and is followed by another uses up a retry, and nothing else does: not that its Worker had no place for it, nor that its kernel came to an end.</summary>
    private string? UsedUp(CommitBatch batch, Facts facts)
    {
        _again.Clear();
        foreach (var line in batch.Log)
        {
            if (line is { From: CommandState.Timeout, To: CommandState.Queued }) _again.Add(line.CommandSeq);
        }

        foreach (var row in batch.NewCommands.Then(batch.ChangedCommands))
        {
            var known = facts.BySeq(row.Seq);
            if (row.Retries == (known?.Row.Retries ?? 0) && !_again.Contains(row.Seq)) continue;
            var failed = Failed(row.Seq, known is null ? batch.Log : known.Log.Concat(batch.Log));
            if (row.Retries != failed) return $"{row.Spec.CommandId} is recorded as retried {row.Retries} times, and {failed} of its attempts failed and were followed by another.";
        }

        return null;
    }

    private static int Failed(long seq, IEnumerable<TransitionRow> log)
    {
        var (failed, isBlameless) = (0, false);
        foreach (var line in log)
        {
            if (line.CommandSeq != seq) continue;
            if (line.To == CommandState.Timeout) isBlameless = IsBlameless(in line);
            else if (line.From == CommandState.Timeout && line.To == CommandState.Queued && !isBlameless) failed++;
        }

        return failed;
    }

    /// <summary>True where an attempt ended by nobody's failure.</summary>
    private static bool IsBlameless(in TransitionRow line) => LogLine.TriggerOf(in line) is nameof(CommandTrigger.Recovered) or nameof(CommandTrigger.ShuttingDown) or nameof(CommandTrigger.WorkerBusy);

    private void Begin(KernelImage image, long ticks, RetryOptions budget)
    {
        _sent.Clear();
        _blameless.Clear();
        _backoff.Clear();
        foreach (var row in image.Commands)
        {
            // A command whose first attempt never became durable is sent for the first time again.
            if (row.SentEver) _sent.Add(row.Seq);
            if (row.State == CommandState.Timeout) _blameless.Add(row.Seq);
        }

        _level = _least = _most = budget.Burst;
        _filledTicks = ticks;
        _left.Clear();
        _left.Add((ticks, _least, _most));
    }

    private void Take(CommitBatch batch, long ticks, RetryOptions budget, Facts facts)
    {
        // What a turn decided, it decided before it was handed to the store: nothing that came in since is taken from it.
        var trickle = TimeSpan.FromTicks(ticks - _filledTicks).TotalSeconds * budget.PerSecond;
        _level += trickle;
        _filledTicks = ticks;
        var retries = 0;

        // When within the turn the trickle came nobody knows: before all else it is lost where nothing was missing, after all else none of it is.
        var (least, most) = (_least, _most);
        _least = Math.Min(budget.Burst, _least + trickle);
        foreach (var row in batch.Log)
        {
            Count(in row, budget, ref retries);
            (least, most) = (Math.Min(least, _least), Math.Max(most, _most));
        }

        _most = Math.Min(budget.Burst, _most + trickle);
        most = Math.Max(most, _most);
        if (retries > 0 && _level < -0.01) facts.Violated(this, $"The kernel makes {retries} retries at once, {(-_level).ToString("F1", CultureInfo.InvariantCulture)} more than its budget has.");
        _level = Math.Min(_level, budget.Burst);
        if (_left.Count == MostKept) _left.RemoveAt(0);
        _left.Add((ticks, least, most));
    }

    /// <summary>What an operator is told is left is between the least and the most that can be.</summary>
    private void CheckTold(long told, long ticks, Facts facts)
    {
        var since = facts.ReleasedSince(facts.Holder!);
        var trickle = TimeSpan.FromTicks(ticks - Math.Max(since, _left[0].Ticks)).TotalSeconds * facts.World.KernelOptions.Retries.PerSecond;
        var (least, most) = (double.MaxValue, double.MinValue);
        for (var i = _left.Count - 1; i >= 0; i--)
        {
            (least, most) = (Math.Min(least, _left[i].Least), Math.Max(most, _left[i].Most));
            if (_left[i].Ticks < since) break;
        }

        if (told < least - trickle - 1 || told > Math.Max(0, most) + trickle + 1) facts.Violated(this, $"The kernel tells that {told} retries are left; between {Shown(least)} and {Shown(most)} are.");
    }

    private static string Shown(double level) => level.ToString("F1", CultureInfo.InvariantCulture);

    /// <summary>What waits for the budget looks for it now and then, not without pause.</summary>
    private void CheckWait(string command, long ticks, Facts facts)
    {
        // Whose pause is a few milliseconds looks often, and may.
        if (facts.World.KernelOptions.Retries.WaitMs < LeastTold) return;
        var (since, times) = _looks.GetValueOrDefault(command);
        _looks[command] = (since, times) = ticks - since > LookSpan ? (ticks, 1) : (since, times + 1);
        if (times > MostLooks) facts.Violated(this, $"{command} waits for the retry budget and looks for it {times} times within {SimDefaults.Seconds(ticks - since)} s.");
    }

    private void Count(in TransitionRow row, RetryOptions budget, ref int retries)
    {
        switch (row.To)
        {
            case CommandState.Timeout when IsBlameless(in row):
                _blameless.Add(row.CommandSeq);
                break;
            case CommandState.Executing:
                _blameless.Remove(row.CommandSeq);
                if (!_sent.Add(row.CommandSeq)) break;
                _level += budget.SharePercent / 100.0;
                _least = Math.Min(budget.Burst, _least + (budget.SharePercent / 100.0));
                _most = Math.Min(budget.Burst, _most + (budget.SharePercent / 100.0));
                break;
            case CommandState.Dispatched when _sent.Contains(row.CommandSeq) && !_blameless.Contains(row.CommandSeq):
                retries++;
                _level--;
                _least--;
                _most--;
                break;
        }
    }
}
