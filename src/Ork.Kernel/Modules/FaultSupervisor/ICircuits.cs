namespace Ork.Kernel;

/// <summary>What the Fault Supervisor offers: whether a Worker may be sent to, and whether a retry fits the kernel's budget.</summary>
internal interface ICircuits
{
    /// <summary>True where the Worker's circuit lets a command through.</summary>
    bool Admits(WorkerEntry worker);

    /// <summary>True where one more retry fits the budget.</summary>
    bool AdmitsRetry();

    /// <summary>A first attempt was sent.</summary>
    void Sent(WorkerEntry worker, bool isRetry);

    /// <summary>An attempt was answered.</summary>
    void Answered(WorkerEntry worker);

    /// <summary>An attempt ended without an answer.</summary>
    void Unanswered(WorkerEntry worker);
}

/// <summary>Circuits that are always closed, with a budget that never ends.</summary>
internal sealed class ClosedCircuits : ICircuits
{
    /// <inheritdoc/>
    public bool Admits(WorkerEntry worker) => true;

    /// <inheritdoc/>
    public bool AdmitsRetry() => true;

    /// <inheritdoc/>
    public void Sent(WorkerEntry worker, bool isRetry)
    {
    }

    /// <inheritdoc/>
    public void Answered(WorkerEntry worker)
    {
    }

    /// <inheritdoc/>
    public void Unanswered(WorkerEntry worker)
    {
    }
}
