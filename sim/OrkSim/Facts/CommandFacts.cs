using Ork.Kernel;

namespace OrkSim;

/// <summary>A command as it can be known from outside.</summary>
public sealed class CommandFacts(CommandRow row)
{
    /// <summary>How it stands on the disk.</summary>
    public CommandRow Row { get; internal set; } = row;

    /// <summary>Its id.</summary>
    public string Id => Row.Spec.CommandId;

    /// <summary>The Worker that it was accepted for.</summary>
    public string FirstWorkerId { get; } = row.WorkerId;

    /// <summary>Every transition on the disk.</summary>
    public List<TransitionRow> Log { get; } = [];

    /// <summary>How many of them were on the disk before the latest commit that touched it.</summary>
    public int LoggedBefore { get; internal set; }

    /// <summary>When the latest commit that touched it became durable.</summary>
    public long TouchedTicks { get; internal set; }

    /// <summary>The earliest that a kernel can have decided on the latest attempt.</summary>
    public long BegunTicks { get; internal set; }

    /// <summary>What devices did of it.</summary>
    public List<Execution> Executions { get; } = [];

    /// <summary>The Workers' answers that a kernel took.</summary>
    public List<WireMessage> Answers { get; } = [];

    /// <summary>When the kernel that holds the store first took its Worker's word that it succeeded, or null.</summary>
    public long? SucceededTicks { get; internal set; }

    /// <summary>Attempts that their Worker said it did not begin, as a kernel took it; true where that was surely while it waited for it.</summary>
    public Dictionary<int, bool> Unbegun { get; } = [];

    /// <summary>When each attempt left the kernel that held the store.</summary>
    public Dictionary<int, long> LeftTicks { get; } = [];

    /// <summary>The Worker's answer to each attempt that a kernel took one to, as far as it can be read.</summary>
    public Dictionary<int, WireMessage?> Answered { get; } = [];

    /// <summary>When a caller first took the answer that it is accepted, or null.</summary>
    public long? ToldTicks { get; internal set; }

    /// <summary>True once a caller took the answer that it is cancelled.</summary>
    public bool ToldCancelled { get; internal set; }

    /// <summary>True once it left the store at the end of its retention.</summary>
    public bool Forgotten => ForgottenTicks is not null;

    /// <summary>When it did, or null.</summary>
    public long? ForgottenTicks { get; internal set; }

    /// <summary>How many devices it is for.</summary>
    public int DeviceCount => Row.Spec.Targets?.Count ?? 1;

    /// <summary>One of them.</summary>
    public string Device(int index) => Row.Spec.Targets?[index] ?? Row.Spec.DeviceId!;

    /// <summary>True where another command reaches one of the same devices.</summary>
    public bool Shares(CommandFacts other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Row.Spec.Targets is null && other.Row.Spec.Targets is null) return Row.Spec.DeviceId == other.Row.Spec.DeviceId;
        if (Row.Spec.Targets is null) return other.Row.Spec.Targets!.Contains(Row.Spec.DeviceId!);
        return other.Row.Spec.Targets is null ? Row.Spec.Targets.Contains(other.Row.Spec.DeviceId!) : Row.Spec.Targets.Intersect(other.Row.Spec.Targets).Any();
    }

    /// <summary>True where it goes before another at a device of both.</summary>
    public bool IsBefore(CommandFacts other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Row.Spec.Priority == other.Row.Spec.Priority ? Row.Seq < other.Row.Seq : Row.Spec.Priority > other.Row.Spec.Priority;
    }

    /// <summary>True where it came to the disk when it had ended already: what nobody needs any more of it was let go by then.</summary>
    public bool BornSettled { get; init; }

    /// <summary>When its acceptance became durable.</summary>
    public long AcceptedTicks { get; internal init; }

    /// <summary>When the kernel last said that its retry waits for the budget.</summary>
    public long BudgetTicks { get; internal set; }

    /// <summary>True at its end.</summary>
    public bool IsTerminal => Row.State is CommandState.Success or CommandState.Failed;
}
