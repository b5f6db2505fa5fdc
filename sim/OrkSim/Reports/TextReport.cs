using System.Globalization;
using System.Text;

namespace OrkSim;

/// <summary>A run told in plain text, for terminals and logs.</summary>
public static class TextReport
{
    /// <summary>Writes it.</summary>
    /// <param name="file">The run, with its events.</param>
    /// <param name="path">Where the run file is, for the command that replays it, or null.</param>
    /// <param name="onlyBefore">True: nothing that did not happen before the violation.</param>
    public static string Write(RunFile file, string? path, bool onlyBefore)
    {
        ArgumentNullException.ThrowIfNull(file);
        var reading = new RunReading(file);
        var story = Story.Of(reading, onlyBefore);
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{file.Scenario.Name}, {file.Gear}, seed {file.Seed}: {file.Verdict} after {file.Steps:N0} steps, {file.SimulatedSeconds:F3} s");
        if (file.Violations is [var violation, ..])
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{violation.Invariant}  {violation.Says}");
            text.AppendLine(CultureInfo.InvariantCulture, $"    {story.Short(violation.Message)}");
            text.AppendLine(CultureInfo.InvariantCulture, $"{reading.BeforeCount:N0} of {file.Events.Count:N0} events happened before it{(onlyBefore ? "; the story tells of no other" : "")}");
        }

        text.AppendLine();
        double? lastMs = null;
        foreach (var line in story.Lines)
        {
            if (story.LeftOut > 0 && line == story.Lines[^(story.Lines.Count - 10)]) text.AppendLine(CultureInfo.InvariantCulture, $"          ... {story.LeftOut} lines left out ...");
            var time = line.Ms.Equals(lastMs) ? "" : string.Create(CultureInfo.InvariantCulture, $"{line.Ms / 1000:F4} s");
            text.AppendLine(CultureInfo.InvariantCulture, $"{time,12}  {line.Who,-10} {line.Text}");
            lastMs = line.Ms;
        }

        if (story.Names.Count > 0) text.AppendLine().AppendLine(string.Join(", ", story.Names.Select(static name => $"{name.Key} is {name.Value}")));
        if (path is not null) text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"ork sim replay {path} --events");
        return text.ToString();
    }
}
