namespace Ork.Cli.Hosting;

/// <summary>
/// Ends a child of the demo or of a test with its parent, even one that was killed: the parent holds the other end of standard input, and the system
/// closes it for the dead.
/// </summary>
internal static class ParentWatch
{
    /// <summary>Set for a child that shall end when its standard input does.</summary>
    internal const string Variable = "ORK_ENDS_WITH_STDIN";

    /// <summary>Calls <paramref name="stop"/> when the parent is gone; does nothing in a process that is nobody's child.</summary>
    internal static void Start(Action stop)
    {
        if (Environment.GetEnvironmentVariable(Variable) != "1") return;
        new Thread(() =>
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
            }

            stop();
        })
        { IsBackground = true, Name = "ork-parent" }.Start();
    }
}
