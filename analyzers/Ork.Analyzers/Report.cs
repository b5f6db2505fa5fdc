using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Ork.Analyzers;

/// <summary>Says what a rule found, where the code's role keeps the rule.</summary>
internal static class Report
{
    internal static void Find(this OperationAnalysisContext context, RoleReader roles, Rule rule, IOperation at, params object[] says)
    {
        if ((rule.Roles & roles.Of(context.ContainingSymbol)) != 0) context.ReportDiagnostic(Diagnostic.Create(rule.Descriptor, at.Syntax.GetLocation(), says));
    }

    internal static void Find(this SymbolAnalysisContext context, RoleReader roles, Rule rule, params object[] says)
    {
        if ((rule.Roles & roles.Of(context.Symbol)) == 0 || context.Symbol.Locations.Length == 0) return;
        context.ReportDiagnostic(Diagnostic.Create(rule.Descriptor, context.Symbol.Locations[0], says));
    }
}
