using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace ShopSample.Pages;

internal sealed class SignInModel : PageModel
{
    public string? Name { get; private set; }

    public string? Fault { get; private set; }

    public async Task<IActionResult> OnPostAsync(string? name)
    {
        var visitor = new Visitor(name);
        var faults = new List<ValidationResult>();
        if (!Validator.TryValidateObject(visitor, new ValidationContext(visitor), faults, validateAllProperties: true))
        {
            (Name, Fault) = (name, faults[0].ErrorMessage);
            return Page();
        }

        await visitor.SignInAsync(HttpContext);
        TempData["Notice"] = $"Hello, {name!.Trim()}.";
        return RedirectToPage("/Index");
    }

    public async Task<IActionResult> OnPostOutAsync()
    {
        await HttpContext.SignOutAsync();
        return RedirectToPage("/Index");
    }
}
